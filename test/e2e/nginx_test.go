package e2e

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// behindNginx starts nginx with its defaults, and more directives of the location, in front of an
// API, and returns its URL.
func behindNginx(t *testing.T, api, directives string) string {
	t.Helper()
	path, err := exec.LookPath("nginx")
	if err != nil {
		if path, err = exec.LookPath("/usr/sbin/nginx"); err != nil {
			t.Skip("nginx is not installed")
		}
	}
	dir := t.TempDir()
	addr := "127.0.0.1:" + freePort(t)
	config := fmt.Sprintf(`
daemon off; user root; pid %[1]s/pid; error_log stderr;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/a; proxy_temp_path %[1]s/b; fastcgi_temp_path %[1]s/c;
	uwsgi_temp_path %[1]s/d; scgi_temp_path %[1]s/e;
	server { listen %[2]s; location / { proxy_pass %[3]s; %[4]s } }
}`, dir, addr, api, directives)
	file := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	cmd := exec.Command(path, "-e", "stderr", "-c", file, "-p", dir)
	var log strings.Builder
	cmd.Stderr = &log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("log of nginx:\n%s", log.String())
		}
	})
	url := "http://" + addr
	require.Eventually(t, func() bool {
		resp, err := http.Get(url + "/api/v1")
		if err == nil {
			_ = resp.Body.Close()
		}
		return err == nil && resp.StatusCode == http.StatusOK
	}, 30*time.Second, 20*time.Millisecond)
	return url
}

// read gets an answer; err says that it was not whole.
func read(t *testing.T, url string) (status int, body string, err error) {
	t.Helper()
	resp, err := http.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(raw), err
}

// ask gets an answer in an encoding, which is read by the test.
func ask(t *testing.T, url, encoding string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	req.Header.Set("Accept-Encoding", encoding)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// decoded is the body of a compressed answer.
func decoded(t *testing.T, resp *http.Response) io.Reader {
	t.Helper()
	if resp.Header.Get("Content-Encoding") == "zstd" {
		d, err := zstd.NewReader(resp.Body)
		require.NoError(t, err)
		t.Cleanup(d.Close)
		return d
	}
	d, err := gzip.NewReader(resp.Body)
	require.NoError(t, err)
	return d
}

// A proxy that nobody configured gets whole answers, live events, and answers that show their end.
func TestBehindNginx(t *testing.T) {
	t.Parallel()
	c := start(t, configuration(nil))
	var lines strings.Builder
	const all = 30_000
	text := strings.Repeat("x", 1500)
	for i := range all {
		fmt.Fprintf(&lines, `{"event_type":"user.login","source":"shop","data":{"n":%d,"text":%q}}`+"\n", i, text)
		if i%1000 == 999 {
			status, _ := c.post(t, "application/x-ndjson", lines.String())
			require.Equal(t, http.StatusAccepted, status)
			lines.Reset()
		}
	}
	stock := behindNginx(t, c.api, "")
	modern := behindNginx(t, c.api, "proxy_http_version 1.1;")
	emit := func(kind string) {
		status, _ := c.post(t, "application/json", `{"event_type":"`+kind+`","source":"shop"}`)
		require.Equal(t, http.StatusAccepted, status)
	}

	t.Run("pages", func(t *testing.T) {
		status, body, err := read(t, stock+"/api/v1/events?limit=1000&format=ndjson&end=1")
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, status)
		assert.Equal(t, 1001, strings.Count(body, "\n"))
	})
	t.Run("everything", func(t *testing.T) {
		status, body, err := read(t, stock+"/api/v1/events?limit=all&format=ndjson")
		require.NoError(t, err)
		assert.Equal(t, http.StatusHTTPVersionNotSupported, status)
		assert.Contains(t, body, "proxy_http_version 1.1")
		for _, url := range []string{stock, modern} {
			_, body, err := read(t, url+"/api/v1/events?limit=all&format=ndjson&end=1")
			require.NoError(t, err)
			assert.Equal(t, all+1, strings.Count(body, "\n"))
			assert.Contains(t, body[len(body)-200:], `"more":false,"count":30000}`)
		}
		_, body, err = read(t, modern+"/api/v1/events?limit=all&format=ndjson")
		require.NoError(t, err)
		assert.Equal(t, all, strings.Count(body, "\n"))
	})
	t.Run("streams", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for _, format := range []string{"sse", "ndjson"} {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, stock+"/api/v1/events/stream?event_type=alert."+format+"&format="+format, nil)
			require.NoError(t, err)
			resp, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			emit("alert." + format)
			found := false
			for scanner := bufio.NewScanner(resp.Body); !found && scanner.Scan(); {
				found = strings.Contains(scanner.Text(), `"alert.`+format+`"`)
			}
			assert.True(t, found, "nginx holds nothing back: %s", format)
			_ = resp.Body.Close()
		}
	})
	t.Run("compressed answers", func(t *testing.T) {
		for _, url := range []string{stock, modern} {
			for _, encoding := range []string{"gzip", "zstd"} {
				resp := ask(t, url+"/api/v1/events?event_type=user.login&limit=all&format=ndjson&end=1", encoding)
				require.Equal(t, encoding, resp.Header.Get("Content-Encoding"))
				body, err := io.ReadAll(decoded(t, resp))
				require.NoError(t, err)
				assert.Equal(t, all+1, strings.Count(string(body), "\n"))

				resp = ask(t, url+"/api/v1/events/stream?event_type=alert.compressed&format=ndjson", encoding)
				require.Equal(t, encoding, resp.Header.Get("Content-Encoding"))
				lines := bufio.NewScanner(decoded(t, resp))
				for range 3 {
					emit("alert.compressed")
					for lines.Scan() && lines.Text() == "" { // a heartbeat
					}
					assert.Contains(t, lines.Text(), `"alert.compressed"`, "each line comes at once")
				}
			}
		}
	})
	t.Run("waiting", func(t *testing.T) {
		stop := make(chan struct{})
		go func() { // from=now is when the request arrives
			for {
				select {
				case <-stop:
					return
				case <-time.After(50 * time.Millisecond):
					resp, err := http.Post(c.events, "application/json", strings.NewReader(`{"event_type":"alert.wait","source":"s"}`))
					if err == nil {
						_ = resp.Body.Close()
					}
				}
			}
		}()
		_, body, err := read(t, stock+"/api/v1/events?from=now&wait=50s&event_type=alert.wait")
		close(stop)
		require.NoError(t, err)
		assert.Contains(t, body, `"alert.wait"`)
		for _, path := range []string{"/api/v1/events?wait=60s", "/api/v1/events?wait=51s"} {
			status, _, err := read(t, stock+path)
			require.NoError(t, err)
			assert.Equal(t, http.StatusBadRequest, status)
		}
	})
	t.Run("consumers", func(t *testing.T) {
		req, err := http.NewRequest(http.MethodPut, stock+"/api/v1/consumers/billing", strings.NewReader(`{"event_type": "alert.sse", "from": "start"}`))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		_ = resp.Body.Close()
		require.Equal(t, http.StatusCreated, resp.StatusCode)
		resp, err = http.Post(stock+"/api/v1/consumers/billing/fetch?wait=50s&ack=now", "", nil)
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.Contains(t, string(body), `"alert.sse"`)
	})
	t.Run("a collector that dies", func(t *testing.T) {
		var answers []*http.Response
		const unbuffered = "proxy_max_temp_file_size 0;" // or nginx may have read everything by then
		for _, directives := range []string{unbuffered, unbuffered + "proxy_http_version 1.1;"} {
			// As it is: compressed, all of it lies in the buffers at once.
			resp := ask(t, behindNginx(t, c.api, directives)+"/api/v1/events?limit=all&format=ndjson&end=1", "identity")
			defer resp.Body.Close()
			_, err := io.ReadFull(resp.Body, make([]byte, 10<<10))
			require.NoError(t, err)
			answers = append(answers, resp)
		}
		c.kill()
		for i, resp := range answers {
			body, err := io.ReadAll(resp.Body)
			assert.NotContains(t, string(body), `"count":`, "nobody takes it for everything")
			assert.Equal(t, i == 1, err != nil, "nginx tells it over HTTP/1.1: %v", err)
		}
	})
}
