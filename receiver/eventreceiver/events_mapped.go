package eventreceiver

import (
	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventjson"
	"github.com/isbl/telemetry/receiver/eventreceiver/internal/webhook"
)

// mapped is the part of a request that its events share, where there is a mapping.
func (in *input) mapped() webhook.Request {
	return webhook.Request{Mapping: in.mapping, Header: in.header}
}

// decodeMapped reads the events of a body whose fields a mapping finds.
func (r *request) decodeMapped(in *input, read *webhook.Reader, body []byte) {
	q := in.mapped()
	split := in.mapping.Split != nil
	switch {
	case split && in.form != formJSON:
		r.add("", event.NewFault(event.ReasonKind, "must be one JSON text: `split` points to a list in it"), body)
	case in.form == formFields:
		id, fault := read.Form(q, body, r.batch)
		r.add(id, fault, body)
	case in.form == formLines:
		r.many = true
		eventjson.Lines(body, func(line []byte) {
			if r.more() {
				id, fault := read.Only(q, line, r.count, r.batch)
				r.add(id, fault, line)
			}
		})
	case split:
		list, wrong, none := in.mapping.List(body)
		if wrong != nil {
			r.wrong = wrong
			return
		}
		if none != nil {
			r.add("", none, body)
			return
		}
		r.many, r.place = true, string(*in.mapping.Split)
		r.wrong = eventjson.List(list, func(from []byte) (int, bool) {
			if !r.more() {
				return -1, false
			}
			id, length, fault := read.First(q, from, r.count, r.batch)
			r.add(id, fault, from)
			return length, fault == nil
		})
	default:
		id, fault := read.Only(q, body, webhook.Alone, r.batch)
		r.add(id, fault, body)
	}
}
