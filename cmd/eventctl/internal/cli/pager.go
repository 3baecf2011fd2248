package cli

import (
	"context"
	"errors"

	"github.com/isbl/telemetry/client"
)

// pager reads one page after the other, and goes on after the last one when the server was away.
type pager struct {
	app   *app
	retry *retry
	q     client.Query
}

func (a *app) newPager(q client.Query) *pager { return &pager{app: a, retry: a.newRetry(false), q: q} }

// nextPage reads a page. A cursor that names no place any more is a gap, which comes with the page
// after it, where reading had begun; before that, it is an error.
func nextPage[P any](ctx context.Context, p *pager, read func(context.Context, client.Query) (*P, error)) (page *P, gap *client.Gap, err error) {
	for {
		begun := p.retry.worked
		err := p.retry.do(ctx, func() (err error) {
			page, err = read(ctx, p.q)
			return err
		})
		var gone *client.Problem
		if !begun || !client.IsProblem(err, 410) || !errors.As(err, &gone) || gone.Oldest == "" || gone.Oldest == p.q.After {
			return page, gap, err
		}
		gap = &client.Gap{Reason: "generation"}
		p.q.After = gone.Oldest
	}
}

// goOn makes the next page the one after a cursor.
func (p *pager) goOn(cursor string) { p.q.After, p.q.From, p.q.Wait = cursor, "", 0 }
