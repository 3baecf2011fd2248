package event_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/isbl/telemetry/internal/event"
)

// Every name that means something is found, although most attributes are not compared with them.
func TestNamesWithAMeaning(t *testing.T) {
	reserved := []string{event.AttrUID, event.AttrThreshold, event.AttrRandomness, event.AttrMetadata, event.AttrOriginalID}
	for _, name := range reserved {
		assert.True(t, event.HasMeaning(name), name)
	}
	for _, name := range append(reserved, event.AttrEventName, event.AttrOTelEventName) {
		assert.True(t, event.Reserved(name), name)
		assert.False(t, event.IsPlain(name), name)
	}
	assert.False(t, event.IsPlain(event.AttrBody))
	for _, name := range []string{"", "user.id", "log.record.uie", "event_name", "isbl.metadatb", event.AttrBody, event.AttrServiceName} {
		assert.False(t, event.Reserved(name), name)
	}
	for _, name := range []string{event.MetaResource, event.MetaTraceID, event.MetaSampling, event.MetaOriginalID, event.MetaBody, event.AttrMetadata} {
		assert.True(t, event.ReservedMetadata(name), name)
	}
	for _, name := range []string{"", "team", event.AttrUID, event.MetaThreshold} {
		assert.False(t, event.ReservedMetadata(name), name)
	}
	assert.Equal(t, event.AttrOriginalID, event.TextAttribute(event.MetaOriginalID))
	assert.Empty(t, event.TextAttribute("team"))
}
