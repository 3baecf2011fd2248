// Package browsertest opens pages in Chromium for tests.
package browsertest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// Tab opens a URL in a new Chromium, which ends with the test. Where Chromium is not
// installed, the test is skipped, or fails when the environment variable CI is set. flags are
// more flags of Chromium, without the dashes before their names.
func Tab(t *testing.T, url string, flags map[string]any) context.Context {
	t.Helper()
	if !installed() {
		if os.Getenv("CI") != "" {
			t.Fatal("Chromium is not installed")
		}
		t.Skip("Chromium is not installed")
	}
	opts := chromedp.DefaultExecAllocatorOptions[:]
	if os.Geteuid() == 0 {
		opts = append(opts, chromedp.NoSandbox) // Chromium refuses to sandbox for root
	}
	for name, value := range flags {
		opts = append(opts, chromedp.Flag(name, value))
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	Do(t, ctx, network.Enable(), chromedp.Navigate(url))
	return ctx
}

func installed() bool {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if _, err := exec.LookPath(name); err == nil {
			return true
		}
	}
	return false
}

// Do runs actions in a tab, all of which must succeed.
func Do(t *testing.T, ctx context.Context, actions ...chromedp.Action) { //nolint:revive // t comes first in test helpers
	t.Helper()
	require.NoError(t, chromedp.Run(ctx, actions...))
}

// Until waits for a JavaScript expression to be true. The page, and what the expression looks
// for, may not be there yet.
func Until(expression string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		for {
			var is bool
			if err := chromedp.Evaluate("!!("+expression+")", &is).Do(ctx); err == nil && is {
				return nil
			}
			select {
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
				return fmt.Errorf("%s: %w", expression, ctx.Err())
			}
		}
	})
}
