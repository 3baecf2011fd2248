package client

import (
	"context"
	"net/http"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"
)

// Rejected is what a receiver did not take of a request that it answered with success.
type Rejected struct {
	Records int64
	Message string
}

// Send posts an OTLP request, protobuf, to the receiver's /v1/logs. The Rejected is nil when all
// was taken.
func (c *Client) Send(ctx context.Context, otlp []byte) (*Rejected, error) {
	resp, err := c.do(ctx, request{
		method: http.MethodPost, base: c.otlp, path: otlpPath, body: otlp, header: http.Header{"Content-Type": {"application/x-protobuf"}},
	})
	if err != nil {
		return nil, err
	}
	body, err := c.read(ctx, resp)
	if err != nil {
		return nil, err
	}
	answer := plogotlp.NewExportResponse()
	if answer.UnmarshalProto(body) != nil { // something between us and the receiver said yes
		return nil, nil
	}
	if part := answer.PartialSuccess(); part.RejectedLogRecords() > 0 {
		return &Rejected{Records: part.RejectedLogRecords(), Message: part.ErrorMessage()}, nil
	}
	return nil, nil
}

// otlpDetail is the message of an OTLP error, which is a protobuf of its own.
func otlpDetail(body []byte) string {
	var s status.Status
	if proto.Unmarshal(body, &s) != nil {
		return ""
	}
	return s.GetMessage()
}
