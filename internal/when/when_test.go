package when

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestTimesBeyondNanoseconds(t *testing.T) {
	far := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	assert.Equal(t, int64(math.MaxInt64), Clamp(far).UnixNano())
	assert.True(t, Until(far).IsZero(), "no bound")
	assert.Equal(t, int64(0), Clamp(time.Time{}).UnixNano())
	assert.False(t, Until(time.Time{}).IsZero(), "a bound before every event")
}
