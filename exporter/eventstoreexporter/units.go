package eventstoreexporter

import (
	"fmt"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/isbl/telemetry/internal/when"
)

// ByteSize is a number of bytes, also written with a unit: 512KiB, 10GiB, 1GB.
type ByteSize int64

// UnmarshalText reads a size with or without a unit.
func (b *ByteSize) UnmarshalText(text []byte) error {
	n, err := humanize.ParseBytes(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a size: write bytes, or a number with a unit such as 512KiB or 10GiB", text)
	}
	if n > uint64(maxMaxBytes) {
		return fmt.Errorf("%q is too large: the most is %s", text, maxMaxBytes)
	}
	*b = ByteSize(n)
	return nil
}

// MarshalText writes the size with the largest unit that divides it.
func (b ByteSize) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

func (b ByteSize) String() string {
	for _, unit := range []struct {
		size ByteSize
		name string
	}{{1 << 60, "EiB"}, {1 << 50, "PiB"}, {1 << 40, "TiB"}, {1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if b != 0 && b%unit.size == 0 {
			return fmt.Sprintf("%d%s", int64(b/unit.size), unit.name)
		}
	}
	return fmt.Sprintf("%dB", int64(b))
}

// Sync is the interval at which files are synced; zero syncs before every answer.
type Sync time.Duration

const syncAlways = "always"

// UnmarshalText reads "always" or a duration.
func (s *Sync) UnmarshalText(text []byte) error {
	if string(text) == syncAlways {
		*s = 0
		return nil
	}
	d, err := when.Duration(string(text))
	if err != nil || d <= 0 {
		return fmt.Errorf("%q must be always or a positive duration with its unit, such as 1s", text)
	}
	*s = Sync(d)
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (s Sync) MarshalText() ([]byte, error) {
	if s == 0 {
		return []byte(syncAlways), nil
	}
	return []byte(time.Duration(s).String()), nil
}
