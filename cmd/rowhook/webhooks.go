package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"rowhook/config"
	"rowhook/rules"
)

// webhook is a row of the plugin's webhook table.
type webhook struct {
	ID        int64
	Name      string
	Hook      string // onAfterSaveReservation
	URL       string
	Secret    string
	Published bool
	Params    string // JSON
}

type siteWebhooks struct {
	site  string
	hooks []webhook
}

// imported is a rule file made of webhooks.
type imported struct {
	text     []byte
	rules    int // also those that are disabled
	disabled int
	refused  int // as comments
}

// ruleFile is a rule file for the webhooks, in their order; those that are not published are disabled in it. A rule that
// this version would refuse stands there as a comment with the reason, ready to be corrected; so what is written can
// always be read.
func ruleFile(sites []siteWebhooks) (imported, error) {
	out := &ruleWriter{names: map[string]bool{}, manySites: len(sites) > 1}
	head := []string{"Rules for the webhooks of the plugin's own table, written by rowhook import.",
		"Once rowhook runs, unpublish them in the plugin: else receivers get every event twice."}
	for _, s := range sites {
		before, refused, disabled := len(out.rules), out.refused, out.disabled
		for _, h := range s.hooks {
			if err := out.add(s.site, h); err != nil {
				return imported{}, fmt.Errorf("webhook %d: %w", h.ID, err)
			}
		}
		head = append(head, fmt.Sprintf("Site %s: %s; disabled of these, for the plugin has them unpublished: %d; as comments, for this version cannot serve them: %d.",
			s.site, count(len(out.rules)-before, "rule"), out.disabled-disabled, out.refused-refused))
	}
	list := &yaml.Node{Kind: yaml.SequenceNode, Content: out.rules}
	if len(out.rules) == 0 {
		list = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
	}
	root := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{word("rules"), list}}
	doc := &yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{root}, HeadComment: comment("", head...)}
	doc.FootComment = comment("  ", out.pending...)
	text, err := encode(doc)
	return imported{text: text, rules: len(out.rules), disabled: out.disabled, refused: out.refused}, err
}

// ruleWriter collects rules, and the comments that go before the next one.
type ruleWriter struct {
	rules     []*yaml.Node
	pending   []string
	refused   int
	disabled  int // of rules
	names     map[string]bool
	manySites bool
}

func (w *ruleWriter) add(site string, h webhook) error {
	p, readable := parseParams(h.Params)
	notes := []string{fmt.Sprintf("webhook %d of site %s, %.130q", h.ID, site, h.Name)}
	rule := ruleNode(w.unique(site, h), site, h, p)
	text, err := encode(&yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{rule}})
	if err != nil {
		return err
	}
	var reasons []string
	if !readable {
		reasons = []string{"its parameters cannot be read; look them up in the plugin"}
	}
	if action, err := rules.ParseAction(h.Hook); err == nil && action.Hook() != h.Hook { // FINDINGS 9
		reasons = append(reasons, fmt.Sprintf("the plugin never sends a webhook under this name, so a rule would be news to its receiver; write action: %s for one", action.Hook()))
	}
	if action, err := rules.ParseAction(h.Hook); err == nil && action.Entity.Relay {
		notes = append(notes, "this hook leaves no row in the database: it takes the relay, see rowhook relay -h")
	}
	_, err = rules.Parse("import", append([]byte("rules:\n"), text...), nil)
	for _, e := range config.Errors(err) {
		reasons = append(reasons, strings.TrimPrefix(e.Key, "rules[0].")+": "+e.Message)
	}
	if len(reasons) > 0 {
		w.refused++
		for _, reason := range reasons {
			notes = append(notes, "cannot be served: "+reason)
		}
		w.pending = append(w.pending, append(notes, strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")...)...)
		return nil
	}
	rule.HeadComment = comment("", append(w.pending, notes...)...)
	w.pending = nil
	w.rules = append(w.rules, rule)
	if !h.Published {
		w.disabled++
	}
	return nil
}

// unique makes a rule's name of the webhook's.
func (w *ruleWriter) unique(site string, h webhook) string {
	base := slug(h.Name)
	if base == "" {
		base = "webhook-" + strconv.FormatInt(h.ID, 10)
	}
	if w.manySites {
		base = strings.TrimLeft(site[:min(len(site), 30)]+"-"+base, "-_")
	}
	name := base
	for n := h.ID; w.names[name]; n++ {
		name = base + "-" + strconv.FormatInt(n, 10)
	}
	w.names[name] = true
	return name
}

// slug keeps the letters and digits of ASCII in lower case; everything between them becomes one dash.
func slug(text string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(text) {
		switch {
		case b.Len() >= 50:
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.TrimSuffix(b.String(), "-")
}

// ruleNode is a webhook as a rule, whether or not this version can serve it.
func ruleNode(name, site string, h webhook, p params) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	set := func(key string, value *yaml.Node) { n.Content = append(n.Content, word(key), value) }
	set("name", word(name))
	if !h.Published {
		set("enabled", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "false"})
	}
	action, err := rules.ParseAction(h.Hook)
	if err != nil {
		set("action", quoted(h.Hook))
	} else {
		set("action", word(action.String()))
		if action.Kind == rules.Save && !action.Entity.Hooks { // the plugin's other hooks have no parameters
			set("type", word(p.Type))
		}
		if action.HasStatuses() && len(p.Statuses) > 0 {
			set("statuses", wordList(p.Statuses))
		}
		if action.Kind != rules.Delete && !action.Entity.Hooks {
			set("load", word(p.Load))
		}
	}
	set("url", quoted(strings.TrimSpace(h.URL)))
	if h.Secret != "" {
		set("secret", quoted(h.Secret))
	}
	set("sites", wordList([]string{site}))
	set("id", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.FormatInt(h.ID, 10)})
	return n
}

// literal is a text that expansion leaves as it is; what is no UTF-8 was no text.
func literal(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "$", "$$")
}

func word(text string) *yaml.Node {
	n := quoted(text)
	if text != "" && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		n.Style = 0
	}
	return n
}

func quoted(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: literal(text), Style: yaml.DoubleQuotedStyle}
}

func wordList(texts []string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, t := range texts {
		n.Content = append(n.Content, word(t))
	}
	return n
}

// comment is lines as a YAML comment, each indented behind its mark.
func comment(indent string, lines ...string) string {
	var b strings.Builder
	for i, l := range lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString("# " + indent + l)
	}
	return b.String()
}

func encode(n *yaml.Node) ([]byte, error) {
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(n); err != nil {
		return nil, err
	}
	err := e.Close()
	return b.Bytes(), err
}

// params is what a webhook asks for beyond its action.
type params struct {
	Type     string
	Load     string
	Statuses []string
}

const (
	maxParams   = 64 << 10 // bytes; the plugin's column holds 2,048 characters
	maxStatuses = 100
)

// parseParams reads the params column. PHP writes an empty list where nothing is set, "" for no statuses, and an object
// for a list with gaps. What is missing has the plugin's default. readable is false when something was not understood: a filter
// that got lost would send what nobody asked for.
func parseParams(text string) (p params, readable bool) {
	p = params{Type: rules.Both.String(), Load: rules.Basic.String()}
	switch strings.TrimSpace(text) {
	case "", "[]", "null":
		return p, true
	}
	var values map[string]json.RawMessage
	if len(text) > maxParams || json.Unmarshal([]byte(text), &values) != nil {
		return p, false
	}
	readable = true
	for key, into := range map[string]*string{"type": &p.Type, "load": &p.Load} {
		var s string
		if raw, ok := values[key]; ok && json.Unmarshal(raw, &s) != nil {
			readable = false
		} else if s != "" {
			*into = s
		}
	}
	var ok bool
	p.Statuses, ok = parseStatuses(values["statuses"])
	return p, readable && ok
}

func parseStatuses(raw json.RawMessage) (statuses []string, readable bool) {
	var one any
	if len(raw) == 0 {
		return nil, true
	}
	if json.Unmarshal(raw, &one) != nil {
		return nil, false
	}
	var all []any
	switch v := one.(type) {
	case nil:
	case []any:
		all = v
	case map[string]any:
		for _, s := range v {
			all = append(all, s)
		}
	default:
		all = []any{v}
	}
	for _, s := range all {
		code, isText := s.(string)
		if !isText || len(statuses) == maxStatuses {
			return nil, false
		}
		if code != "" && !slices.Contains(statuses, code) {
			statuses = append(statuses, code)
		}
	}
	slices.Sort(statuses)
	return statuses, true
}
