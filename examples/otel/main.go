// Otel is a small shop: an HTTP server instrumented with OpenTelemetry traces, slog, and the
// Service. Its events, and what it logs, belong to the trace of their request, and go over OTLP to
// a collector. There the program reads them back.
//
//	make run                          # in another shell: the collector
//	go run ./examples/otel            # three orders, then what the collector has of them
//	go run ./examples/otel --orders 0 # serve until Ctrl-C: curl -d '' 'http://localhost:8080/order?user=ann'
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"time"

	"github.com/isbl/telemetry"
)

func main() {
	var o settings
	flag.StringVar(&o.listen, "listen", "localhost:8080", "address of the shop")
	flag.StringVar(&o.otlp, "otlp", "http://localhost:4318", "URL of the collector's OTLP/HTTP port")
	flag.StringVar(&o.api, "api", "http://localhost:4380", "URL of the collector's HTTP API")
	flag.IntVar(&o.orders, "orders", 3, "orders to make and read back, 0 to serve until Ctrl-C")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, o, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "otel:", err)
		os.Exit(1)
	}
}

type settings struct {
	listen, otlp, api string
	orders            int
}

func run(ctx context.Context, o settings, out io.Writer) (err error) {
	started := time.Now()
	p, err := newPipeline(ctx, o.otlp)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return errors.Join(err, p.stop())
	}
	server := &http.Server{Handler: newShop(p), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	address := "http://" + listener.Addr().String()

	if o.orders == 0 {
		fmt.Fprintln(out, "serving at", address)
		<-ctx.Done()
	} else {
		err = order(ctx, address, o.orders)
	}
	err = errors.Join(err, server.Close())
	if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	if err = errors.Join(err, p.stop()); err != nil || o.orders == 0 { // now everything is with the collector
		return err
	}
	return readBack(ctx, o, started, out)
}

// order is a customer.
func order(ctx context.Context, address string, n int) error {
	for i := range n {
		user := []string{"ann", "bob", "cleo"}[i%3]
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/order?user="+user, http.NoBody)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		_ = response.Body.Close() // it is empty
		if response.StatusCode != http.StatusCreated {
			return fmt.Errorf("the shop answers %s", response.Status)
		}
	}
	return nil
}

// readBack shows what the collector has of the orders: for each an event data.order_placed, and a
// log record of the same trace.
func readBack(ctx context.Context, o settings, since time.Time, out io.Writer) error {
	query := url.Values{"source": {serviceName}, "since": {since.UTC().Format(time.RFC3339Nano)}, "limit": {"1000"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.api+"/api/v1/events?"+query.Encode(), http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", request.URL, response.Status)
	}
	var page struct{ Events []telemetry.Event }
	if err := json.NewDecoder(response.Body).Decode(&page); err != nil {
		return err
	}
	for i := range page.Events {
		e := &page.Events[i]
		fmt.Fprintf(out, "%s %v %v\n", e.EventType, e.Metadata["trace_id"], e.Data)
	}
	if len(page.Events) != 2*o.orders {
		return fmt.Errorf("%d events came back instead of %d", len(page.Events), 2*o.orders)
	}
	return nil
}
