package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rowhook/api/control"
	"rowhook/deliver/post"
	"rowhook/rules"
	"rowhook/weburl"
)

// sampleRule is `rowhook rules sample`: what a rule posts, with invented data.
func (t *tree) sampleRule() *cobra.Command {
	c := &cobra.Command{
		Use: "sample NAME", Short: "print what a rule would post, of invented data, or post it",
		Long:              "Prints a request as the rule would make it, of invented data in the shape of its payload. With --send the daemon posts\nit once, marked with X-Rowhook-Test: 1, and keeps nothing of it.",
		Example:           "  rowhook rules sample crm-bookings --send",
		ValidArgsFunction: firstName(t.ruleNames),
	}
	asJSON := jsonFlag(c)
	send := c.Flags().Bool("send", false, "post it to the rule's url")
	return prints(c, 1, 1, func(ctx context.Context, names []string, stdout, _ io.Writer) error {
		c, err := loadNamed(ctx, t.config)
		if err != nil {
			return err
		}
		if *send {
			said, err := control.Ask[sampleOrder, string](ctx, control.NewClient(c.StateDir), sampleRoute, sampleOrder{names[0]})
			if errors.Is(err, control.ErrNoDaemon) {
				return fmt.Errorf("%w, and it is what posts a sample; start it: systemctl start rowhook", err)
			}
			if err != nil {
				return err
			}
			if *asJSON {
				return writeJSON(stdout, struct {
					Said string `json:"said"`
				}{said})
			}
			_, err = fmt.Fprintln(stdout, said)
			return err
		}
		set, err := readRules(c, t.config)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(set.Rules, func(r *rules.Rule) bool { return r.Name == names[0] })
		if i < 0 {
			return fmt.Errorf("there is no rule %s; rowhook rules list shows which there are", names[0])
		}
		shown := *set.Rules[i]
		shown.Shape = shown.Shape.Masked()
		m, err := sampler{c, sitesOf(c)}.of(ctx, &shown)
		if err != nil {
			return err
		}
		return printSample(stdout, &shown, m, *asJSON)
	})
}

// printSample prints a request, but for what its secrets make of it.
func printSample(w io.Writer, r *rules.Rule, m *post.Message, asJSON bool) error {
	contentType := cmp.Or(r.Endpoint.ContentType, "application/json")
	if asJSON {
		shown := json.RawMessage(m.Body)
		if !json.Valid(m.Body) { // a template_file's
			shown, _ = json.Marshal(string(m.Body)) // a text can always be written
		}
		return writeJSON(w, struct {
			URL         string          `json:"url"`
			Action      string          `json:"action"`
			Site        string          `json:"site"`
			ContentType string          `json:"content_type"`
			Body        json.RawMessage `json:"body"`
		}{weburl.Short(r.Endpoint.URL), m.Action, m.Site, contentType, shown})
	}
	var head strings.Builder
	fmt.Fprintf(&head, "POST %s\nContent-Type: %s\nX-VAP-WEBHOOK-ACTION: %s\nX-Rowhook-Site: %s\nX-Rowhook-Test: 1\n",
		weburl.Short(r.Endpoint.URL), contentType, m.Action, m.Site)
	if r.Endpoint.WebhookID != 0 {
		fmt.Fprintf(&head, "X-VAP-WEBHOOK-ID: %d\n", r.Endpoint.WebhookID)
	}
	if r.Endpoint.CloudEvents {
		head.WriteString(m.CloudEvent())
	}
	for _, h := range r.Endpoint.Headers {
		head.WriteString(h.Name + ": (its value is not shown)\n")
	}
	_, err := fmt.Fprintf(w, "%s\n%s\n", &head, m.Body)
	return err
}
