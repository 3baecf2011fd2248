package eventreceiver

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/httpguard"
)

// Reasons why a request is refused as a whole.
const (
	reasonBody         = "body_too_large"
	reasonEncoding     = "encoding"
	reasonMalformed    = "malformed"
	reasonMediaType    = "media_type"
	reasonMethod       = "method"
	reasonOverloaded   = "overloaded"
	reasonParameter    = "parameter"
	reasonPath         = "path"
	reasonOrigin       = "webhook_origin"
	reasonSignature    = "signature"
	reasonSlow         = httpguard.ReasonSlowBody
	reasonTooDeep      = "too_deep"
	reasonTooMany      = "too_many_events"
	reasonUnauthorized = "unauthorized"
)

// All reasons, as metadata.yaml has them.
var (
	requestReasons = append([]string{
		reasonBody, reasonEncoding, reasonMalformed, reasonMediaType, reasonMethod, reasonOverloaded, reasonParameter, reasonPath,
		reasonOrigin, reasonSignature, reasonTooDeep, reasonTooMany, reasonUnauthorized,
	}, httpguard.Reasons...)
	eventReasons = []string{
		reasonBatch, event.ReasonMalformed, event.ReasonMissing, event.ReasonUnknown, event.ReasonKind, event.ReasonValue,
		event.ReasonTooDeep, event.ReasonAttributes, event.ReasonStringTooLong,
	}
	suspiciousReasons = []string{reasonForm, reasonText, reasonFuture, reasonPast}
)

// startCounters counts nothing of each reason, so that the first of a reason is seen as an
// increase.
func (c *canonicalizer) startCounters(ctx context.Context) {
	for _, reason := range requestReasons {
		c.telemetry.ReceiverEventRefusedRequests.Add(ctx, 0, c.reasonOf(reason))
	}
	for _, reason := range eventReasons {
		c.telemetry.ReceiverEventRefusedEvents.Add(ctx, 0, c.reasonOf(reason))
	}
	for _, reason := range suspiciousReasons {
		c.telemetry.ReceiverEventSuspiciousEvents.Add(ctx, 0, c.reasonOf(reason))
	}
}

// reasonOf are the attributes of a metric.
func (c *canonicalizer) reasonOf(reason string) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(attribute.String("receiver", c.set.ID.String()), attribute.String("reason", reason)))
}
