// Package browsertest opens pages in Chromium for tests.
package browsertest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// timeout is how long a test may use its tab.
const timeout = 3 * time.Minute

// shared is the Chromium of all tabs without flags, in a package whose TestMain calls Main.
var shared struct {
	use   bool
	open  sync.Once
	ctx   context.Context
	close context.CancelFunc
}

// Main runs the tests of a package with one Chromium for all tabs that have no flags of their
// own, which is much faster than one for each. It returns the exit status.
func Main(m *testing.M) int {
	shared.use = true
	code := m.Run()
	if shared.close != nil {
		shared.close()
	}
	return code
}

// Tab opens a URL in Chromium, until the test ends. Where Chromium is not installed, the test is
// skipped, or fails when the environment variable CI is set. flags are more flags of Chromium,
// without the dashes before their names: a tab with flags has a Chromium of its own.
func Tab(t *testing.T, url string, flags map[string]any) context.Context {
	t.Helper()
	if !installed() {
		if os.Getenv("CI") != "" {
			t.Fatal("Chromium is not installed")
		}
		t.Skip("Chromium is not installed")
	}
	var browser context.Context
	if shared.use && len(flags) == 0 {
		shared.open.Do(func() {
			shared.ctx, shared.close = start(context.Background(), nil)
			Do(t, shared.ctx) // starts the browser; the tabs of later tests are its children
		})
		browser = shared.ctx
	} else {
		var stop context.CancelFunc
		browser, stop = start(t.Context(), flags)
		t.Cleanup(stop)
	}
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, timeout)
	t.Cleanup(cancel)
	Do(t, ctx, network.Enable(), chromedp.Navigate(url))
	return ctx
}

// start prepares a Chromium, which starts with the first action in it.
func start(parent context.Context, flags map[string]any) (context.Context, context.CancelFunc) {
	opts := slices.Clone(chromedp.DefaultExecAllocatorOptions[:])
	if os.Geteuid() == 0 {
		opts = append(opts, chromedp.NoSandbox) // Chromium refuses to sandbox for root
	}
	for name, value := range flags {
		opts = append(opts, chromedp.Flag(name, value))
	}
	allocator, stop := chromedp.NewExecAllocator(parent, opts...)
	ctx, cancel := chromedp.NewContext(allocator)
	return ctx, func() {
		cancel()
		stop()
	}
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
