// Package checksum finds out whether bytes changed since they were stored.
package checksum

import "hash/crc32"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Bytes is the size of a checksum.
const Bytes = crc32.Size

// Of returns the CRC-32C of b (RFC 3720, section 12.1).
func Of(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }
