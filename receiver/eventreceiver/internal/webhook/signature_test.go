package webhook

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The examples that the senders publish.
func TestKnownSignatures(t *testing.T) {
	signed := time.Unix(1614265330, 0)
	for name, tt := range map[string]struct {
		signature Signature
		body      string
		headers   map[string]string
	}{
		"GitHub": {
			Signature{Scheme: SchemeGitHub, Secret: "It's a Secret to Everybody"},
			"Hello, World!",
			map[string]string{"X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
		},
		"Standard Webhooks": {
			Signature{Scheme: SchemeStandard, Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
			`{"test": 2432232314}`,
			map[string]string{
				"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
				"webhook-signature": "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= v2,x",
			},
		},
		"Svix": {
			Signature{Scheme: SchemeStandard, Secret: "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
			`{"test": 2432232314}`,
			map[string]string{
				"svix-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "svix-timestamp": "1614265330",
				"svix-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			header := http.Header{}
			for key, value := range tt.headers {
				header.Set(key, value)
			}
			verify, err := tt.signature.Verifier()
			require.NoError(t, err)
			require.NoError(t, verify(header, []byte(tt.body), signed.Add(defaultTolerance)))
			require.ErrorIs(t, verify(header, []byte(tt.body+"\n"), signed), errSignature)
			if tt.signature.Scheme == SchemeStandard {
				require.ErrorContains(t, verify(header, []byte(tt.body), signed.Add(defaultTolerance+time.Second)), "5m1s")
			}
			for key := range tt.headers {
				without := header.Clone()
				without.Del(key)
				assert.ErrorContains(t, verify(without, []byte(tt.body), signed), "is missing")
			}

			changed := tt.signature
			changed.PreviousSecret, changed.Secret = changed.Secret, "AAAA"
			verify, err = changed.Verifier()
			require.NoError(t, err)
			require.NoError(t, verify(header, []byte(tt.body), signed), "while the secret changes")
		})
	}
}
