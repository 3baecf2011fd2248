package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"go.opentelemetry.io/collector/config/configopaque"
)

// Schemes are the ways in which senders sign their requests.
const (
	SchemeGitHub   = "github"            // HMAC-SHA256 of the body, in hex, in one header
	SchemeStripe   = "stripe"            // of the time and the body
	SchemeStandard = "standard_webhooks" // of id, time and body (standardwebhooks.com)

	schemes = SchemeGitHub + ", " + SchemeStripe + " or " + SchemeStandard
)

const (
	gitHubHeader = "X-Hub-Signature-256"
	stripeHeader = "Stripe-Signature"

	defaultTolerance = 5 * time.Minute
	minTolerance     = time.Second // finds durations without a unit: they are nanoseconds
)

// Signature says how the requests of a sender are signed.
type Signature struct {
	// Scheme is one of the schemes. It is required with a secret.
	Scheme string `mapstructure:"signature"`
	// Header has the signature. It is for SchemeGitHub, whose default is X-Hub-Signature-256.
	Header string `mapstructure:"signature_header"`
	// Secret is what the sender signs with. Empty: nothing is checked.
	Secret configopaque.String `mapstructure:"secret"`
	// PreviousSecret is taken too, while the sender changes its secret. Empty: none.
	PreviousSecret configopaque.String `mapstructure:"previous_secret"`
	// Tolerance is how far the time of a signature may be from now. The default is 5m. It is for
	// the schemes that sign a time.
	Tolerance time.Duration `mapstructure:"tolerance"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// Verifier checks the signature of a request that came now. Its error says what is wrong, and
// nothing of the secret. It is safe for concurrent use.
type Verifier func(header http.Header, body []byte, now time.Time) error

// Verifier returns the check of a signature, nil where there is no secret.
func (s *Signature) Verifier() (Verifier, error) {
	if s.Secret == "" {
		if s.Scheme != "" || s.Header != "" || s.PreviousSecret != "" || s.Tolerance != 0 {
			return nil, &FieldError{"secret", "is missing or empty: write the secret that the sender signs with"}
		}
		return nil, nil
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	var verifiers []Verifier
	for _, secret := range []configopaque.String{s.Secret, s.PreviousSecret} {
		if secret == "" {
			continue
		}
		v, err := s.verifier(string(secret))
		if err != nil {
			return nil, err
		}
		verifiers = append(verifiers, v)
	}
	return func(header http.Header, body []byte, now time.Time) (err error) {
		for _, verify := range verifiers {
			if err = verify(header, body, now); err == nil {
				return nil
			}
		}
		return err
	}, nil
}

func (s *Signature) check() error {
	switch {
	case s.Scheme == "":
		return &FieldError{"signature", "is missing: write how the sender signs, " + schemes}
	case s.Scheme != SchemeGitHub && s.Header != "":
		return &FieldError{"signature_header", "has no meaning with `signature: " + s.Scheme + "`, which has headers of its own: leave it out"}
	case s.Scheme == SchemeGitHub && s.Tolerance != 0:
		return &FieldError{"tolerance", "has no meaning with `signature: github`, which signs no time: leave it out"}
	case s.Tolerance != 0 && s.Tolerance < minTolerance:
		return &FieldError{"tolerance", fmt.Sprintf("must be at least %v, got %v: write a duration with its unit, or leave it out for %v",
			minTolerance, s.Tolerance, defaultTolerance)}
	}
	return nil
}

func (s *Signature) verifier(secret string) (Verifier, error) {
	tolerance := s.Tolerance
	if tolerance == 0 {
		tolerance = defaultTolerance
	}
	switch s.Scheme {
	case SchemeGitHub:
		name := s.Header
		if name == "" {
			name = gitHubHeader
		}
		return func(header http.Header, body []byte, _ time.Time) error {
			return checkBody(secret, name, header.Get(name), body)
		}, nil
	case SchemeStripe:
		return func(header http.Header, body []byte, now time.Time) error {
			return checkStripe(secret, header.Get(stripeHeader), body, now, tolerance)
		}, nil
	case SchemeStandard:
		webhook, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			return nil, &FieldError{"secret", "is not base64, which Standard Webhooks use, with or without whsec_ before it"}
		}
		return func(header http.Header, body []byte, now time.Time) error {
			return checkStandard(webhook, header, body, now, tolerance)
		}, nil
	}
	return nil, &FieldError{"signature", fmt.Sprintf("is %q: write %s", s.Scheme, schemes)}
}

var errSignature = errors.New("the signature is not that of the body by the secret")

func missing(header string) error {
	return fmt.Errorf("the header %s is missing: the secret of the sender must be set there", header)
}

// sum is the HMAC-SHA256 of parts, one after the other.
func sum(secret string, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	for _, part := range parts {
		mac.Write(part)
	}
	return mac.Sum(nil)
}

// equal compares in constant time.
func equal(hexadecimal string, want []byte) bool {
	got, err := hex.DecodeString(hexadecimal)
	return err == nil && hmac.Equal(got, want)
}

func checkBody(secret, name, value string, body []byte) error {
	if value == "" {
		return missing(name)
	}
	if !equal(strings.TrimPrefix(value, "sha256="), sum(secret, body)) {
		return errSignature
	}
	return nil
}

// checkStripe checks t=TIME,v1=SIGNATURE, where the signature may be there several times.
func checkStripe(secret, value string, body []byte, now time.Time, tolerance time.Duration) error {
	if value == "" {
		return missing(stripeHeader)
	}
	var at string
	var signatures []string
	for part := range strings.SplitSeq(value, ",") {
		switch name, text, _ := strings.Cut(strings.TrimSpace(part), "="); name {
		case "t":
			at = text
		case "v1":
			signatures = append(signatures, text)
		}
	}
	want, matches := sum(secret, []byte(at), []byte("."), body), false
	for _, one := range signatures {
		matches = matches || equal(one, want)
	}
	if !matches {
		return errSignature
	}
	return checkTime(at, now, tolerance)
}

// checkStandard takes the headers of Svix too, which are the older names of the same ones.
func checkStandard(webhook *standardwebhooks.Webhook, header http.Header, body []byte, now time.Time, tolerance time.Duration) error {
	named := http.Header{}
	for name, older := range map[string]string{
		standardwebhooks.HeaderWebhookID:        "svix-id",
		standardwebhooks.HeaderWebhookTimestamp: "svix-timestamp",
		standardwebhooks.HeaderWebhookSignature: "svix-signature",
	} {
		value := header.Get(name)
		if value == "" {
			value = header.Get(older)
		}
		if value == "" {
			return missing(name)
		}
		named.Set(name, value)
	}
	if err := webhook.VerifyIgnoringTimestamp(body, named); err != nil { // the library has a tolerance of its own
		return errSignature
	}
	return checkTime(named.Get(standardwebhooks.HeaderWebhookTimestamp), now, tolerance)
}

// checkTime refuses requests that were signed long ago, which somebody may have recorded, and those
// of another clock.
func checkTime(seconds string, now time.Time, tolerance time.Duration) error {
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return errSignature
	}
	if age := now.Sub(time.Unix(n, 0)); age.Abs() > tolerance {
		return fmt.Errorf("the request was signed %v from now; `tolerance` is %v", age.Round(time.Second).Abs(), tolerance)
	}
	return nil
}
