package e2e

import (
	"bytes"
	"compress/gzip"
	"context"
	wire "encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Attacks on the doors of the receiver: requests whose decoded form is much larger than they are,
// and senders that send slowly.

// attackedReceiver is a collector whose buffer has room for all that these attacks bring into the
// pipeline: what it does when it is full is another matter.
func attackedReceiver(t *testing.T) *collector {
	t.Helper()
	return attacked(t, map[string]string{"processors": `
  memory_limiter: {check_interval: 100ms, limit_mib: 512, spike_limit_mib: 100}
  event_buffer: {buffer_size: 2000000}`})
}

const (
	protobufType = "application/x-protobuf"
	jsonType     = "application/json"

	// receiverRSS bounds the process during these attacks.
	receiverRSS = 550 << 20
	// attackSize is the decoded size of hostile bodies, just below what the receiver takes.
	attackSize = 20<<20 - 1000
)

// field returns body as a length-delimited field of protobuf.
func field(number int, body []byte) []byte {
	f := wire.AppendUvarint(nil, uint64(number)<<3|2)
	return append(wire.AppendUvarint(f, uint64(len(body))), body...)
}

// inScope returns a request with the fields of one ScopeLogs, and inRecord one with the fields of
// one record.
func inScope(fields []byte) []byte  { return field(1, field(2, fields)) }
func inRecord(fields []byte) []byte { return inScope(field(2, fields)) }

// fill repeats what is given up to the size of an attack.
func fill(piece []byte) []byte { return bytes.Repeat(piece, attackSize/len(piece)) }

// levels nests a value, by the fields from the value to the one that holds it.
func levels(n int, fields ...int) []byte {
	var value []byte
	for range n {
		for _, number := range fields {
			value = field(number, value)
		}
	}
	return value
}

func zipped(t *testing.T, body []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	require.NoError(t, err)
	_, err = w.Write(body)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return buf.Bytes()
}

// blow sends a body again and again from several connections, and requires that none is answered
// with a failure of the server: it is taken, refused, or asked to come again.
func blow(ctx context.Context, t *testing.T, url, contentType, coding string, body []byte) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	defer client.CloseIdleConnections()
	var mu sync.Mutex
	answers := map[int]int{}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 4 {
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
				if !assert.NoError(t, err) {
					return
				}
				req.Header.Set("Content-Type", contentType)
				if coding != "" {
					req.Header.Set("Content-Encoding", coding)
				}
				resp, err := client.Do(req)
				if !assert.NoError(t, err) {
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				mu.Lock()
				answers[resp.StatusCode]++
				mu.Unlock()
				if resp.StatusCode == http.StatusServiceUnavailable {
					assert.NotEmpty(t, resp.Header.Get("Retry-After"))
				}
			}
		})
	}
	wg.Wait()
	t.Logf("answers to %d bytes: %v", len(body), answers)
	assert.Zero(t, answers[http.StatusInternalServerError])
}

// Small bodies that become large in memory.
func TestAttackSmallBodies(t *testing.T) {
	nested := levels(10, 5, 1)            // AnyValue.array_value, ArrayValue.values
	deep := field(5, levels(63, 1, 2, 6)) // a body of KeyValueList.values, KeyValue.value, AnyValue.kvlist_value
	for name, body := range map[string][]byte{
		"empty records":               inScope(bytes.Repeat(field(2, nil), 1_900_000)),
		"as many records as allowed":  inScope(bytes.Repeat(field(2, nil), 100_000)),
		"resources without records":   fill(field(1, nil)),
		"scopes without records":      field(1, fill(field(2, nil))),
		"attributes without anything": inRecord(fill(field(6, nil))),
		"a list of empty maps":        inRecord(field(5, field(5, fill(field(1, field(6, nil)))))),
		"nested lists":                inRecord(field(5, field(5, fill(nested)))),
		"maps of 64 levels":           inScope(fill(field(2, deep))),
		"one nested list":             inRecord(field(5, levels(5000, 1, 5))),
		"unknown packed fields":       inRecord(fill([]byte{0xa0, 6, 1})),
		"entities":                    field(1, field(1, fill(field(3, nil)))),
	} {
		t.Run(name, func(t *testing.T) {
			c := attackedReceiver(t)
			body := zipped(t, body)
			c.withstand(t, receiverRSS, func(ctx context.Context, t *testing.T) {
				blow(ctx, t, c.otlp+"/v1/logs", protobufType, "gzip", body)
			})
		})
	}
}

// Text that becomes large in memory, or that nests without end.
func TestAttackJSON(t *testing.T) {
	const head = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[`
	for name, body := range map[string]string{
		"empty records":       head + strings.Repeat("{},", 1_000_000) + "{}]}]}]}",
		"nulls":               head + strings.Repeat("null,", 1_000_000) + "{}]}]}]}",
		"brackets":            strings.Repeat("[", attackSize),
		"brackets in a body":  head + `{"body":{"arrayValue":{"values":` + strings.Repeat("[", attackSize-200),
		"nested values":       head + `{"body":` + strings.Repeat(`{"arrayValue":{"values":[`, 100_000),
		"resources":           `{"resourceLogs":[` + strings.Repeat("{},", 1_000_000) + "{}]}",
		"attributes":          head + `{"attributes":[` + strings.Repeat("{},", 5_000_000) + "{}]}]}]}]}",
		"an escaped name":     `{"resourceLogs":[{"scopeLogs":[{"log\u0052ecords":[` + strings.Repeat("{},", 1_000_000) + "{}]}]}]}",
		"a string of escapes": head + `{"body":{"stringValue":"` + strings.Repeat(`\u00e9`, attackSize/6-100) + `"}}]}]}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			c := attackedReceiver(t)
			body := zipped(t, []byte(body))
			c.withstand(t, receiverRSS, func(ctx context.Context, t *testing.T) {
				blow(ctx, t, c.otlp+"/v1/logs", jsonType, "gzip", body)
				blow(ctx, t, c.events, jsonType, "gzip", body)
			})
		})
	}
}

// Codings that take more memory than what they hold.
func TestAttackCodings(t *testing.T) {
	zeros := make([]byte, 200<<20)
	var window bytes.Buffer // asks the decoder for 64 MiB
	w, err := zstd.NewWriter(&window, zstd.WithWindowSize(64<<20))
	require.NoError(t, err)
	for range 2 {
		_, err = w.Write(zeros[:8<<20])
		require.NoError(t, err)
		require.NoError(t, w.Flush())
	}
	require.NoError(t, w.Close())
	bomb, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	defer bomb.Close()
	for name, tt := range map[string]struct {
		coding string
		body   []byte
	}{
		"gzip":                {"gzip", zipped(t, zeros)},
		"zstd":                {"zstd", bomb.EncodeAll(zeros, nil)},
		"a large zstd window": {"zstd", window.Bytes()},
		"gzip in gzip":        {"gzip, gzip", zipped(t, zipped(t, zeros))},
		"a snappy length":     {"snappy", []byte("\xff\xff\xff\xff\x0f")},
	} {
		t.Run(name, func(t *testing.T) {
			c := attackedReceiver(t)
			c.withstand(t, receiverRSS, func(ctx context.Context, t *testing.T) {
				blow(ctx, t, c.otlp+"/v1/logs", protobufType, tt.coding, tt.body)
				blow(ctx, t, c.events, jsonType, tt.coding, tt.body)
			})
		})
	}
}

const exportMethod = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"

// overHTTP2 returns a client that speaks as gRPC clients do, with messages as they are given.
func overHTTP2() *http.Client {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Client{Transport: &http.Transport{Protocols: protocols}}
}

// Over gRPC the same bodies come in streams, many to a connection.
func TestAttackGRPC(t *testing.T) {
	for name, body := range map[string][]byte{
		"empty records": inScope(bytes.Repeat(field(2, nil), 1_900_000)),
		"a bomb":        make([]byte, 200<<20),
		"nested lists":  inRecord(field(5, field(5, fill(levels(10, 1, 5))))),
		"attributes":    inRecord(fill(field(6, nil))),
	} {
		t.Run(name, func(t *testing.T) {
			c := attackedReceiver(t)
			c.withstand(t, receiverRSS, func(ctx context.Context, t *testing.T) {
				client := overHTTP2()
				defer client.CloseIdleConnections()
				message := zipped(t, body)
				frame := append(wire.BigEndian.AppendUint32([]byte{1}, uint32(len(message))), message...)
				var mu sync.Mutex
				answers := map[string]int{}
				var wg sync.WaitGroup
				for range 32 {
					wg.Go(func() {
						for range 2 {
							req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.grpc+exportMethod, bytes.NewReader(frame))
							if !assert.NoError(t, err) {
								return
							}
							req.Header.Set("Content-Type", "application/grpc")
							req.Header.Set("Grpc-Encoding", "gzip")
							resp, err := client.Do(req)
							if !assert.NoError(t, err) {
								return
							}
							_, _ = io.Copy(io.Discard, resp.Body)
							resp.Body.Close()
							mu.Lock()
							answers[resp.Trailer.Get("Grpc-Status")+resp.Header.Get("Grpc-Status")]++
							mu.Unlock()
						}
					})
				}
				wg.Wait()
				t.Logf("answers to %d bytes: %v", len(frame), answers)
				assert.Zero(t, answers[""], "a stream without an answer")
				assert.Zero(t, answers["13"], "Internal")
			})
		})
	}
}

// Many streams that announce a large message, send half of it and wait.
func TestAttackSlowStreams(t *testing.T) {
	c := attackedReceiver(t)
	c.withstand(t, receiverRSS, func(ctx context.Context, t *testing.T) {
		half := make([]byte, 1<<20)
		for range 4 {
			client := overHTTP2()
			defer client.CloseIdleConnections()
			for range 100 {
				r, w := io.Pipe()
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.grpc+exportMethod, r)
				require.NoError(t, err)
				req.Header.Set("Content-Type", "application/grpc")
				defer w.Close()
				go func() {
					if resp, err := client.Do(req); err == nil {
						resp.Body.Close()
					}
				}()
				go func() {
					_, _ = w.Write(wire.BigEndian.AppendUint32([]byte{0}, 20<<20-10))
					_, _ = w.Write(half)
				}()
			}
		}
		for range 20 { // and then those that trickle over HTTP
			conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", strings.TrimPrefix(c.otlp, "http://"))
			require.NoError(t, err)
			defer conn.Close()
			_, err = fmt.Fprintf(conn, "POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", protobufType, 20<<20-10)
			require.NoError(t, err)
			_, err = conn.Write(half[:rand.IntN(len(half))])
			require.NoError(t, err)
		}
		after, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		<-after.Done()
	})
}
