package eventreceiver

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// retryDelay is when to try again what can be tried again, where the pipeline does not say it.
const retryDelay = time.Second

// statusOf returns what a sender is told of an error of the pipeline. One that is not permanent may
// be tried again. Of several components that failed, one that can be tried again counts.
func statusOf(err error) *status.Status {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		joined, ok := inner.(interface{ Unwrap() []error })
		if !ok {
			continue
		}
		var st *status.Status
		for _, one := range joined.Unwrap() {
			if st = statusOf(one); mayTryAgain(httpStatus(st.Code())) {
				break
			}
		}
		return st
	}
	if st, ok := status.FromError(err); ok {
		return st
	}
	if consumererror.IsPermanent(err) {
		return status.New(codes.Internal, err.Error())
	}
	return status.New(codes.Unavailable, err.Error())
}

// GRPCStatus is what a sender is told of a request that is refused.
func (r *refusal) GRPCStatus() *status.Status {
	st := status.New(r.code, r.detail)
	if r.code == codes.Unavailable { // for gRPC, only this says that it is worth to try again
		if with, err := st.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(retryDelay)}); err == nil {
			st = with
		}
	}
	return st
}

// httpStatus returns what a gRPC code is over HTTP, as OTLP has it.
func httpStatus(code codes.Code) int {
	switch code {
	case codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.OutOfRange, codes.Unavailable, codes.DataLoss:
		return http.StatusServiceUnavailable
	case codes.ResourceExhausted:
		return http.StatusTooManyRequests
	case codes.InvalidArgument:
		return http.StatusBadRequest
	case codes.Unauthenticated:
		return http.StatusUnauthorized
	case codes.PermissionDenied:
		return http.StatusForbidden
	case codes.Unimplemented:
		return http.StatusNotFound
	default:
		return http.StatusInternalServerError
	}
}

// codeOf returns what an HTTP status is as a gRPC code.
func codeOf(status int) codes.Code {
	switch status {
	case http.StatusBadRequest:
		return codes.InvalidArgument
	case http.StatusUnauthorized:
		return codes.Unauthenticated
	case http.StatusForbidden, http.StatusMisdirectedRequest:
		return codes.PermissionDenied
	default:
		return codes.Unknown
	}
}

// mayTryAgain reports whether senders try again after an HTTP status.
func mayTryAgain(status int) bool {
	return status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests
}

// retryInfo returns how long a sender is asked to wait, 0 where it is not.
func retryInfo(st *status.Status) time.Duration {
	for _, detail := range st.Details() {
		if retry, ok := detail.(*errdetails.RetryInfo); ok {
			return retry.GetRetryDelay().AsDuration()
		}
	}
	return 0
}

// setRetryAfter sets the header, which has whole seconds.
func setRetryAfter(header http.Header, wait time.Duration) {
	header.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
}
