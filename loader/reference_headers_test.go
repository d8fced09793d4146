package loader

import (
	"fmt"
	"strings"
)

// headers are what a request tells beside its body, and when; post.TestDocumentedHeaders holds them against what is sent.
var headers = []struct{ name, text, when string }{
	{"webhook-id", "the delivery: the same in every attempt", "always"},
	{"webhook-timestamp", "when this attempt was made, in seconds since 1970", "always"},
	{"webhook-signature", "`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`; one for each key, with spaces between", "the rule has a `signing_secret`"},
	{"X-VAP-WEBHOOK-ID", "the plugin's number of the webhook", "the rule has an `id`, as those of `rowhook import`"},
	{"X-VAP-WEBHOOK-ACTION", "the plugin's name of the action, `onAfterSaveReservation`; of a rule for rows of a table `custom`", "always"},
	{"X-VAP-WEBHOOK-SECURE", "the MD5 of the rule's `secret`, as the plugin sends it", "the rule has a `secret`, or `fidelity` is plugin"},
	{"X-Rowhook-Site", "the site", "always"},
	{"X-Rowhook-Sequence", "counts the deliveries to the endpoint: what has a lower number is older", "always, but of samples"},
	{"X-Rowhook-Object", "the payload does not show the whole object: `gone`, `closure` or `partial`", "that is so"},
	{"X-Rowhook-Omitted", "columns whose values are null for they were too large, with commas between", "that is so"},
	{"X-Rowhook-As-Of", "when the largest values were read from the table (RFC 3339, to the millisecond): they may be newer than the event", "that is so"},
	{"X-Rowhook-Test", "`1`: a sample of invented data", "a person sent it, from the console or by `rowhook rules sample NAME --send`"},
	{"ce-specversion", "`1.0`", ofCloudEvents},
	{"ce-id", "as `webhook-id`", ofCloudEvents},
	{"ce-source", "`rowhook/` and the site", ofCloudEvents},
	{"ce-type", "`vikappointments.` and the action, `vikappointments.appointment.save`; or `rowhook.endpoint_down`", ofCloudEvents},
	{"ce-time", "when it was committed (RFC 3339)", ofCloudEvents},
	{"ce-subject", "the object's key, `12`", ofCloudEvents + ", and there is one object"},
}

const ofCloudEvents = "the rule has `format: cloudevents`"

// headerRows is their table, for people.
func headerRows(b *strings.Builder) {
	b.WriteString("\n## Headers\n\nWhat comes with each body. A rule's own `headers` come besides.\n\n| Header | What | When |\n|---|---|---|\n")
	for _, h := range headers {
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", h.name, h.text, h.when)
	}
}

// headerParameters are they in the OpenAPI document, by their names.
func headerParameters() map[string]any {
	parameters := map[string]any{}
	for _, h := range headers {
		parameters[h.name] = map[string]any{
			"name": h.name, "in": "header", "required": strings.HasPrefix(h.when, "always") && h.name != "X-Rowhook-Sequence",
			"description": h.text + " (" + h.when + ")", "schema": map[string]any{"type": "string"},
		}
	}
	return parameters
}

func headerReferences() (list []any) {
	for _, h := range headers {
		list = append(list, map[string]any{"$ref": "#/components/parameters/" + h.name})
	}
	return list
}
