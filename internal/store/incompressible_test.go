package store_test

import (
	"math/rand/v2"

	"go.opentelemetry.io/collector/pdata/plog"
)

// incompressible returns n events of 30 kB that no compression makes smaller.
func incompressible(eventType string, n int) plog.Logs {
	ld := logs(eventType, 0, n)
	rnd := rand.NewChaCha8([32]byte{})
	for _, record := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		noise := make([]byte, 30_000)
		_, _ = rnd.Read(noise)
		record.Attributes().PutEmptyBytes("noise").FromRaw(noise)
	}
	return ld
}
