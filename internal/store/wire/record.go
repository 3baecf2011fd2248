package wire

// Record is an encoded log record, and what it hangs on. It shares the memory of the LogsData
// it is of, which must not change.
type Record struct {
	around *around
	record []byte
}

// around is what the records of a scope have in common, with those records.
type around struct{ resourceLogs, scopeLogs []byte }

// Records lists the records of LogsData, of which there are about n. It returns false where
// the LogsData is not in normal form: each field once, none that is unknown, and nothing
// nested without end. What pdata has written is.
func Records(raw []byte, n int) ([]Record, bool) {
	if !logsData.valid(raw, maxDepth) {
		return nil, false
	}
	list := make([]Record, 0, n)
	for rl := read(raw); rl.next(); {
		for sl := read(rl.bytes); sl.next(); {
			if sl.num != fieldScopeLogs {
				continue
			}
			a := &around{rl.bytes, sl.bytes}
			for record := read(sl.bytes); record.next(); {
				if record.num == fieldLogRecords {
					list = append(list, Record{a, record.bytes})
				}
			}
		}
	}
	return list, true
}

// AppendOTLP appends the record, with its resource and scope, as LogsData. What is written
// behind one another is LogsData again.
func (r Record) AppendOTLP(dst []byte) []byte {
	resource, _ := without(r.around.resourceLogs, fieldScopeLogs) // it is in normal form
	scope, _ := without(r.around.scopeLogs, fieldLogRecords)
	return appendGroup(dst, resource, scope, r.record)
}
