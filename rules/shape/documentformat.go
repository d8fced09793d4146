package shape

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"text/template/parse"
)

// verb is one of a format of printf: %05d, %[2]s. The texts between verbs are verbs that take no value.
type verb struct {
	plain string // what stands before it, written out
	shape string // its flags, width and precision
	kind  byte   // the letter; 0: the format ends here
	value int    // which value it takes, from 0
}

const (
	mostInFormat = 3    // digits of a width or precision in a format
	widest       = 6    // times as long as a value is what a verb makes of it: \xff\xff, or "0xff " of each byte
	perWidth     = 1500 // bytes that a verb may make besides: of the widest width, the longest precision, the largest number
)

const (
	textVerbs   = "svqxX"
	wholeVerbs  = "dboOcUxX"
	pointVerbs  = "eEfFgG"
	allVerbs    = textVerbs + wholeVerbs + pointVerbs + "t"
	wantedVerbs = "%s, %d, %f"
)

var verbForm = regexp.MustCompile(`^([-+# 0]*)(\d*)((?:\.\d*)?)(?:\[(\d{1,3})\])?(.?)`)

// verbsOf reads a format: its error is what no value can put right.
func verbsOf(format string) (verbs []verb, err error) {
	next, plain := 0, ""
	for {
		before, rest, found := strings.Cut(format, "%")
		plain += before
		if !found {
			return append(verbs, verb{plain: plain}), nil
		}
		if after, is := strings.CutPrefix(rest, "%"); is {
			plain, format = plain+"%", after
			continue
		}
		m := verbForm.FindStringSubmatch(rest)
		letter, precision := m[5], strings.TrimPrefix(m[3], ".")
		switch {
		case letter == "*" || len(m[2]) > mostInFormat || len(precision) > mostInFormat:
			return nil, fmt.Errorf("printf with a width of more than %d digits, or one that is a value, is not allowed: it may make texts of any size", mostInFormat)
		case letter == "" || !strings.Contains(allVerbs, letter):
			return nil, fmt.Errorf("printf has %%%.20s, which shows no value; write one of %s, or %%%% for a percent sign", m[0], wantedVerbs)
		case letter == "v" && strings.Contains(m[1], "#"):
			return nil, errors.New("printf with %#v is not allowed: it shows how a program holds a value; write %s")
		}
		if m[4] != "" {
			if next, err = strconv.Atoi(m[4]); err != nil || next == 0 {
				return nil, fmt.Errorf("printf has %%%s; its values are counted from 1", m[0])
			}
			next--
		}
		verbs = append(verbs, verb{plain, m[1] + m[2] + m[3], letter[0], next})
		next, plain, format = next+1, "", rest[len(m[0]):]
	}
}

// format refuses what no value can put right: a text of any size, and as many verbs as there are no values. Piped says that
// the last value comes from the call before.
func (r *documentReader) format(c *parse.CommandNode, piped bool) {
	if len(c.Args) < 2 {
		r.fault(c, "printf needs its format behind it")
		return
	}
	format, ok := c.Args[1].(*parse.StringNode)
	if !ok {
		r.fault(c, "the format of printf must be written out")
		return
	}
	verbs, err := verbsOf(format.Text)
	if err != nil {
		r.fault(c, "%w", err)
		return
	}
	values := len(c.Args) - 2
	if piped {
		values++
	}
	taken := make([]bool, values)
	for _, v := range verbs {
		switch {
		case v.kind == 0:
		case v.value >= values:
			r.fault(c, "printf has no value for %%%s%c; write one behind the format for each, or %%%% for a percent sign", v.shape, v.kind)
			return
		default:
			taken[v.value] = true
		}
	}
	for i, is := range taken {
		if !is {
			r.fault(c, "printf shows its value %d nowhere; write %%s in the format where it belongs, or remove it", i+1)
			return
		}
	}
}

// printf makes a text of a format, which was looked at when the template was read, and of values as people write them.
func printf(b *budget, format string, values ...any) (string, error) {
	verbs, err := verbsOf(format)
	if err != nil {
		return "", err
	}
	var w strings.Builder
	for _, v := range verbs {
		text := v.plain
		if v.kind != 0 {
			if v.value >= len(values) {
				return "", errors.New("printf has too few values")
			}
			shown, err := v.show(b, values[v.value])
			if err != nil {
				return "", err
			}
			text += shown
		}
		if err := errors.Join(b.spend(perValue+len(text)), b.make(len(text))); err != nil {
			return "", err
		}
		w.WriteString(text)
	}
	return w.String(), nil
}

// show is a value as the verb says. Of NULL only the width stays.
func (v verb) show(b *budget, value any) (string, error) {
	letter := string(v.kind)
	_, isText := value.(string)
	switch {
	case value == nil && v.kind != 'q':
		return fmt.Sprintf("%"+v.width()+"s", ""), nil
	case strings.Contains(textVerbs, letter) && (isText || !strings.Contains(wholeVerbs, letter)):
		text, err := textOf(b, value)
		if err == nil {
			err = errors.Join(b.room(perWidth+widest*len(text)), b.spend(perWidth+widest*len(text)))
		}
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%"+v.shape+strings.ReplaceAll(letter, "v", "s"), text), nil
	}
	var fitting any
	var fits bool
	var wanted string
	switch {
	case strings.Contains(wholeVerbs, letter):
		fitting, fits = wholeOf(value)
		wanted = "a whole number"
	case strings.Contains(pointVerbs, letter):
		fitting, fits = pointOf(value)
		wanted = "a number"
	default:
		fitting, fits = value.(bool)
		wanted = "true or false"
	}
	if !fits {
		return "", fmt.Errorf("%%%s%c takes %s, and this is %s", v.shape, v.kind, wanted, shownShort(value))
	}
	return fmt.Sprintf("%"+v.shape+letter, fitting), errors.Join(b.room(perWidth), b.spend(perWidth))
}

// width is the verb's, and on which side it is filled.
func (v verb) width() string {
	width, _, _ := strings.Cut(strings.TrimLeft(v.shape, "-+# 0"), ".")
	if strings.Contains(v.shape, "-") {
		return "-" + width
	}
	return width
}

// shownShort is a value for an error: the plugin types numbers as texts, so a text's beginning is shown.
func shownShort(v any) string {
	if text, is := v.(string); is {
		return fmt.Sprintf("the text %.40q", text)
	}
	return described(v)
}

// mostExact is up to where each whole number has a float64 of its own.
const mostExact = 1 << 53

// wholeOf is a value as a whole number: an int or a uint64.
func wholeOf(v any) (any, bool) {
	switch v := v.(type) {
	case int, uint64:
		return v, true
	case float64:
		return int(v), math.Trunc(v) == v && math.Abs(v) <= mostExact
	case string:
		return Number(v)
	}
	return nil, false
}

// pointOf is a value as a number with a point.
func pointOf(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case uint64:
		return float64(v), true
	case float64:
		return v, true
	case string:
		if strings.Trim(v, "+-.0123456789eE") != "" { // ParseFloat knows words and other bases
			return 0, false
		}
		f, err := strconv.ParseFloat(v, 64)
		return f, err == nil
	}
	return 0, false
}
