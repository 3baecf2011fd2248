package embedded

import (
	"encoding/json"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// A healthy store does not look broken because the machine is busy: the server's own check
// then fails once in some dozens of calls.
func TestHealthyWhileTheMachineIsBusy(t *testing.T) {
	s, err := Start(Options{Directory: t.TempDir(), Logger: zap.NewNop()})
	require.NoError(t, err)
	defer s.Close()
	done := make(chan struct{})
	var busy, asking sync.WaitGroup
	for range 8 {
		busy.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					_ = json.Valid([]byte(`{"busy": [1, 2, 3]}`))
				}
			}
		})
	}
	var wrong atomic.Pointer[error]
	for range 20 {
		asking.Go(func() {
			for range 5_000 {
				if err := s.Health(); err != nil {
					wrong.Store(&err)
				}
			}
		})
	}
	asking.Wait()
	close(done)
	busy.Wait()
	if err := wrong.Load(); err != nil {
		t.Error(*err)
	}
}

func TestHealthIsJudgedByWhatItSaysOfJetStream(t *testing.T) {
	answer := func(errs ...server.HealthzError) []byte {
		body, err := json.Marshal(server.HealthStatus{Status: "error", Errors: errs})
		require.NoError(t, err)
		return body
	}
	busy := answer(server.HealthzError{
		Type: server.HealthzErrorConn, Error: "failed to be ready for connections after 1ms",
	})
	writeError := answer(server.HealthzError{
		Type: server.HealthzErrorStream, Error: "JetStream stream '$G > S' write error: no space left on device",
	})
	doubtful := answer(server.HealthzError{Type: server.HealthzErrorStream, Error: "JetStream stream '$G > S' could not be recovered"})
	healthy := []byte(`{"status":"ok"}`)

	for name, tt := range map[string]struct {
		answers [][]byte
		want    string // the error after the last of them; "" for none
	}{
		"healthy":                         {[][]byte{healthy}, ""},
		"a write error counts at once":    {[][]byte{writeError}, "no space left on device"},
		"never ready for connections":     {[][]byte{busy, busy, busy, busy}, ""},
		"doubtful twice":                  {[][]byte{doubtful, doubtful}, ""},
		"doubtful three times":            {[][]byte{doubtful, doubtful, doubtful}, "could not be recovered"},
		"doubtful, but not in a row":      {[][]byte{doubtful, doubtful, healthy, doubtful}, ""},
		"busy between doubts":             {[][]byte{doubtful, busy, doubtful, busy, doubtful}, "could not be recovered"},
		"no answer that can be read":      {[][]byte{nil, nil}, ""},
		"still none that can be read":     {[][]byte{nil, nil, nil}, "health check answers"},
		"a write error besides something": {[][]byte{answer(server.HealthzError{Type: server.HealthzErrorAccount}, server.HealthzError{Type: server.HealthzErrorStream, Error: "x write error: y"})}, "write error: y"},
	} {
		t.Run(name, func(t *testing.T) {
			var s Server
			var err error
			for _, a := range tt.answers {
				err = s.judge(a)
			}
			if tt.want == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, tt.want)
			}
		})
	}
}
