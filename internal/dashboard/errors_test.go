package dashboard_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
)

// watchErrors fails the test at its end when the page threw an error, or when the browser
// refused something because of the page's policy.
func watchErrors(t *testing.T, ctx context.Context) { //nolint:revive // t comes first in test helpers
	t.Helper()
	var mu sync.Mutex
	var seen []string
	chromedp.ListenTarget(ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			seen = append(seen, e.ExceptionDetails.Error())
		case *log.EventEntryAdded:
			if strings.Contains(e.Entry.Text, "Content Security Policy") {
				seen = append(seen, e.Entry.Text)
			}
		}
	})
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		assert.Empty(t, seen, "errors of the page")
	})
}
