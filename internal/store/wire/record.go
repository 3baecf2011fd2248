package wire

// Record is an encoded log record, and what it hangs on. It shares the memory of the LogsData
// it is of, which must not change.
type Record struct {
	of     *scopeLogs
	record []byte
}

// scopeLogs are the fields of the ResourceLogs and the ScopeLogs around a record, but for the
// lists that it is in.
type scopeLogs struct{ resource, scope []byte }

// Records lists the records of LogsData, of which there are about n. It returns false where
// the LogsData is not in normal form: each field once, none that is unknown, and nothing
// nested without end. What pdata has written is.
func Records(raw []byte, n int) ([]Record, bool) {
	if !logsDataForm.valid(raw, maxDepth) {
		return nil, false
	}
	list := make([]Record, 0, n)
	for logs := read(raw); logs.next(); {
		resource, _ := except(logs.bytes, fieldScopeLogs)
		for rl := read(logs.bytes); rl.next(); {
			if rl.num != fieldScopeLogs {
				continue
			}
			fields, _ := except(rl.bytes, fieldLogRecords)
			scope := &scopeLogs{resource, fields}
			for sl := read(rl.bytes); sl.next(); {
				if sl.num == fieldLogRecords {
					list = append(list, Record{scope, sl.bytes})
				}
			}
		}
	}
	return list, true
}

// AppendOTLP appends the record, with its resource and scope, as LogsData. What is written
// behind one another is LogsData again.
func (r Record) AppendOTLP(dst []byte) []byte {
	return appendGroup(dst, r.of.resource, r.of.scope, r.record)
}
