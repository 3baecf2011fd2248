package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"
)

// Sizes of what waits for an Alertmanager.
const (
	queuedBatches = 64
	batchAlerts   = 256
)

// amAlert is an alert as the Alertmanager's API v2 has it.
type amAlert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

// toAlertmanager sets endsAt always: without further news the Alertmanager resolves the alert then.
func toAlertmanager(a *Alert, ends time.Time, generator string) amAlert {
	out := amAlert{Labels: a.Labels, Annotations: a.Annotations, StartsAt: a.FiredAt, EndsAt: ends, GeneratorURL: generator}
	if a.State == Inactive {
		out.EndsAt = a.ResolvedAt
	}
	return out
}

// Alertmanager tells one Alertmanager of alerts. What does not arrive is sent again by the next
// evaluations.
type Alertmanager struct {
	url     string
	client  *http.Client
	queue   chan []amAlert
	observe Observer
	logger  *zap.Logger
}

// NewAlertmanager makes a notifier for the Alertmanager below a URL.
func NewAlertmanager(endpoint string, client *http.Client, observe Observer, logger *zap.Logger) *Alertmanager {
	return &Alertmanager{
		url: strings.TrimRight(endpoint, "/") + "/api/v2/alerts", client: client, queue: make(chan []amAlert, queuedBatches), observe: observe, logger: logger,
	}
}

const kindAlertmanager = "alertmanager"

// offer queues alerts; where the queue is full the oldest are dropped.
func (am *Alertmanager) offer(alerts []amAlert) {
	for len(alerts) > 0 {
		n := min(len(alerts), batchAlerts)
		am.offerBatch(alerts[:n])
		alerts = alerts[n:]
	}
}

func (am *Alertmanager) offerBatch(batch []amAlert) {
	for {
		select {
		case am.queue <- batch:
			return
		default:
		}
		select {
		case oldest := <-am.queue:
			am.observe.dropped(kindAlertmanager, reasonFull, len(oldest))
		default:
		}
	}
}

func (am *Alertmanager) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case batch := <-am.queue:
			if err := am.post(ctx, batch); err != nil {
				am.observe.failed(kindAlertmanager, len(batch))
				am.logger.Warn("an Alertmanager was not told of alerts; they are sent again", zap.String("url", am.url), zap.Int("alerts", len(batch)), zap.Error(err))
				continue
			}
			am.observe.sent(kindAlertmanager, len(batch))
		}
	}
}

func (am *Alertmanager) post(ctx context.Context, batch []amAlert) error {
	body, err := json.Marshal(batch)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return post(ctx, am.client, am.url, body, nil)
}

// post sends JSON. Any status but 2xx is an error, with the beginning of the answer.
func post(ctx context.Context, client *http.Client, url string, body []byte, headers http.Header) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	for name, values := range headers {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, 512))
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %s", resp.Status, strings.ToValidUTF8(strings.TrimSpace(string(answer)), "\uFFFD"))
	}
	return nil
}
