package compress

import "github.com/isbl/telemetry/internal/budget"

// Memory is what compressing may take. It is safe for concurrent use.
type Memory struct {
	answers, encoders *budget.Budget
}

// part is how much of the memory of answers encoders may take: a third, of which a budget lets
// large reservations have three quarters. Streams keep their encoders as long as they last, and
// must leave room for answers.
const part = 3

// NewMemory returns a part of the memory that answers have.
func NewMemory(answers *budget.Budget) *Memory {
	return &Memory{answers: answers, encoders: budget.New(max(answers.Limit()/part, 1))}
}

// room is what one encoder has of a Memory.
type room struct {
	answers, encoders budget.Reservation
}

// take reserves n bytes, or nothing where there is no room.
func (r *room) take(n int64) bool {
	if r.encoders.Resize(n) == nil && r.answers.Resize(n) == nil {
		return true
	}
	r.release()
	return false
}

func (r *room) release() {
	r.answers.Release()
	r.encoders.Release()
}
