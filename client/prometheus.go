package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// promPrefix begins the calls that are those of Prometheus.
const promPrefix = "/prometheus/api/v1"

// QueryRange are the times that an expression in PromQL is evaluated at. The zero value is now.
type QueryRange struct {
	// Start is the first time; the zero time is End.
	Start time.Time
	// End is the last time; the zero time is now.
	End time.Time
	// Step is the time between two of them.
	Step time.Duration
}

// Series is a series of numbers with its labels. The number of a scalar has no labels.
type Series struct {
	Labels map[string]string
	Points []Point
}

// Point is a number at a time.
type Point struct {
	Time  time.Time
	Value float64
}

// QueryResult is the answer to an expression.
type QueryResult struct {
	// Series have one point each where there was one time.
	Series   []Series
	Warnings []string
	Raw      json.RawMessage // the answer as it came
}

// Query evaluates an expression in PromQL over the events.
func (c *Client) Query(ctx context.Context, expr string, at QueryRange) (*QueryResult, error) {
	if at.End.IsZero() {
		at.End = time.Now()
	}
	q, call := url.Values{"query": {expr}, "time": {seconds(at.End)}}, "/query"
	if !at.Start.IsZero() {
		q, call = url.Values{"query": {expr}, "start": {seconds(at.Start)}, "end": {seconds(at.End)}, "step": {fmt.Sprint(at.Step.Seconds())}}, "/query_range"
	}
	var answer struct {
		Warnings []string
		Data     struct {
			ResultType string
			Result     json.RawMessage
		}
	}
	res := &QueryResult{}
	if err := c.call(ctx, request{method: http.MethodGet, base: c.api, path: promPrefix + call, query: q}, &res.Raw); err != nil {
		return nil, err
	}
	err := json.Unmarshal(res.Raw, &answer)
	res.Warnings = answer.Warnings
	switch {
	case err != nil:
	case answer.Data.ResultType == "scalar":
		res.Series = make([]Series, 1)
		res.Series[0].Points = make([]Point, 1)
		err = json.Unmarshal(answer.Data.Result, &res.Series[0].Points[0])
	case answer.Data.ResultType == "vector", answer.Data.ResultType == "matrix":
		var list []struct {
			Metric map[string]string
			Value  *Point
			Values []Point
		}
		err = json.Unmarshal(answer.Data.Result, &list)
		for _, s := range list {
			if s.Value != nil {
				s.Values = []Point{*s.Value}
			}
			res.Series = append(res.Series, Series{s.Metric, s.Values})
		}
	default:
		err = fmt.Errorf("the result is a %s, which is no number", strconv.Quote(answer.Data.ResultType))
	}
	return res, err
}

// seconds writes a time as Unix seconds, to the millisecond.
func seconds(t time.Time) string {
	return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', -1, 64)
}

// UnmarshalJSON reads [seconds, "value"].
func (p *Point) UnmarshalJSON(text []byte) error {
	var at float64
	var value string
	if err := json.Unmarshal(text, &[]any{&at, &value}); err != nil {
		return err
	}
	var err error
	p.Time = time.UnixMilli(int64(at*1000 + 0.5)).UTC()
	p.Value, err = strconv.ParseFloat(value, 64)
	return err
}

// Rule is an alert rule and its state.
type Rule struct {
	Group, File string
	Name        string
	State       string // inactive, pending or firing
	Health      string // ok, err, or unknown before it says something
	LastError   string
	Query       string
	Alerts      []Alert
}

// Alert is what a rule holds for.
type Alert struct {
	Labels, Annotations map[string]string
	State               string // pending or firing
	ActiveAt            time.Time
	Value               string
}

// Rules reads the alert rules, and the answer as it came.
func (c *Client) Rules(ctx context.Context) (rules []Rule, raw json.RawMessage, err error) {
	if err := c.call(ctx, request{method: http.MethodGet, base: c.api, path: promPrefix + "/rules"}, &raw); err != nil {
		return nil, nil, err
	}
	var answer struct {
		Data struct {
			Groups []struct {
				Name, File string
				Rules      []Rule
			}
		}
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return nil, nil, err
	}
	for _, g := range answer.Data.Groups {
		for _, r := range g.Rules {
			r.Group, r.File = g.Name, g.File
			rules = append(rules, r)
		}
	}
	return rules, raw, nil
}

// promError returns the text of an error of these calls; "" for other answers.
func promError(body []byte) string {
	var answer struct{ Status, Error string }
	if json.Unmarshal(body, &answer) != nil || answer.Status != "error" {
		return ""
	}
	return answer.Error
}
