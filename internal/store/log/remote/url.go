package remote

import "regexp"

// userinfo is all of a URL that may be a user and a password, also where the URL is not valid.
var userinfo = regexp.MustCompile(`//[^/\s]*@`)

// Redacted returns a text, such as the URL of a server, without the users and passwords of URLs.
func Redacted(text string) string { return userinfo.ReplaceAllString(text, "//[REDACTED]@") }

// redactedError is an error of the NATS client, which may repeat the URLs that it was given.
type redactedError struct{ error }

func (e redactedError) Error() string { return Redacted(e.error.Error()) }
func (e redactedError) Unwrap() error { return e.error }
