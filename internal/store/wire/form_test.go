package wire

import (
	"testing"

	"github.com/stretchr/testify/assert"
	logsv1 "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// idSizes are the lengths of ids, which the descriptors do not say.
var idSizes = map[protoreflect.Name]int{"trace_id": 16, "span_id": 8}

// TestFormIsOTLP compares the table of fields with the descriptors of OTLP, message by message.
func TestFormIsOTLP(t *testing.T) {
	compareForm(t, &logsDataForm, (*logsv1.LogsData)(nil).ProtoReflect().Descriptor(), map[*form]bool{})
}

func compareForm(t *testing.T, m *form, want protoreflect.MessageDescriptor, seen map[*form]bool) {
	if seen[m] {
		return
	}
	seen[m] = true
	assert.Equal(t, want.Oneofs().Len() > 0, m.oneof, want.FullName())
	known := 0
	for n, r := range m.fields {
		if r.known {
			known++
			f := want.Fields().ByNumber(protowire.Number(n))
			if assert.NotNil(t, f, "%s has no field %d", want.FullName(), n) {
				compareField(t, r, f, seen)
			}
		}
	}
	assert.Equal(t, want.Fields().Len(), known, "fields of %s", want.FullName())
}

func compareField(t *testing.T, r rule, want protoreflect.FieldDescriptor, seen map[*form]bool) {
	types := map[protoreflect.Kind]protowire.Type{
		protoreflect.Fixed64Kind: protowire.Fixed64Type, protoreflect.DoubleKind: protowire.Fixed64Type,
		protoreflect.Fixed32Kind: protowire.Fixed32Type,
		protoreflect.Uint32Kind:  protowire.VarintType, protoreflect.Int64Kind: protowire.VarintType, protoreflect.Int32Kind: protowire.VarintType,
		protoreflect.EnumKind: protowire.VarintType, protoreflect.BoolKind: protowire.VarintType,
		protoreflect.StringKind: protowire.BytesType, protoreflect.BytesKind: protowire.BytesType, protoreflect.MessageKind: protowire.BytesType,
	}
	typ, ok := types[want.Kind()]
	assert.True(t, ok, "%s has the kind %s", want.FullName(), want.Kind())
	assert.Equal(t, typ, r.typ, want.FullName())
	assert.Equal(t, want.IsList(), r.many, want.FullName())
	assert.Equal(t, idSizes[want.Name()], r.size, want.FullName())
	if assert.Equal(t, want.Message() != nil, r.message != nil, want.FullName()) && r.message != nil {
		compareForm(t, r.message, want.Message(), seen)
	}
}
