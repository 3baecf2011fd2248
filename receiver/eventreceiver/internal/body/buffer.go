package body

import "sync"

// sizes are those of the buffers that are used again, each with a pool of its own: a small request
// never holds a large buffer, which would count against it. They go up to a body of 20 MiB, the
// default limit, so that a flood of large bodies leaves no garbage for a memory limiter to see.
// Larger buffers are allocated.
var sizes = [...]int{
	4 << 10, 16 << 10, 64 << 10, 128 << 10, 256 << 10, 512 << 10,
	1 << 20, 2 << 20, 4 << 20, 8 << 20, 16 << 20, 24 << 20,
}

var pools [len(sizes)]sync.Pool // of *[]byte

// buffer is memory of a request. The zero value has none.
type buffer struct {
	bytes []byte
	pool  *sync.Pool
	mem   *[]byte // what pool gets back
}

// sizeOf returns the size of the buffer for n bytes.
func sizeOf(n int64) int64 {
	for _, size := range sizes {
		if n <= int64(size) {
			return int64(size)
		}
	}
	return n
}

// newBuffer returns an empty buffer of a size of sizeOf.
func newBuffer(size int64) buffer {
	for i, s := range sizes {
		if size != int64(s) {
			continue
		}
		mem, ok := pools[i].Get().(*[]byte)
		if !ok {
			bytes := make([]byte, 0, s)
			mem = &bytes
		}
		return buffer{bytes: *mem, pool: &pools[i], mem: mem}
	}
	return buffer{bytes: make([]byte, 0, size)}
}

// size returns how much memory the buffer is.
func (b *buffer) size() int64 { return int64(cap(b.bytes)) }

// free gives the memory back. The buffer is empty and has none then.
func (b *buffer) free() {
	if b.pool != nil {
		b.pool.Put(b.mem)
	}
	*b = buffer{}
}
