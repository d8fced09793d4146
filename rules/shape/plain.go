package shape

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
)

// The library's words for what is wrong are those of who writes programs. These are its sentences, and how a rule's author is told.
var (
	isMismatch  = regexp.MustCompile(`^invalid operation: (\S+) \(mismatched types (.+) and (.+)\)$`)
	isOperation = regexp.MustCompile(`^invalid operation: (\S+(?: \{\})?) (\S+) (\S+(?: \{\})?)$`) // when it is asked
	isToken     = regexp.MustCompile(`^unexpected token \w+\((".*")\)$`)
	isOfNothing = regexp.MustCompile(`^cannot fetch (\S+) from <nil>$`)
	isNoBool    = regexp.MustCompile(`^expected bool, but got (.+)$`)
	isNotInList = regexp.MustCompile(`^cannot use (\S+) as type (\S+) in array$`)
	isNoLoop    = regexp.MustCompile(`^builtin (\w+) takes only array \(got (.+)\)$`)
)

// plain says what is wrong in other words, where it knows them.
func plain(message string) string {
	switch message {
	case `unexpected token Operator("=")`:
		return "= is no comparison; write =="
	case `unexpected token EOF`, "unexpected end of expression":
		return "it ends too early: a value or a bracket is missing"
	}
	if m := isMismatch.FindStringSubmatch(message); m != nil {
		return mismatched(m[1], kindWord(m[2]), kindWord(m[3]))
	}
	if m := isOperation.FindStringSubmatch(message); m != nil {
		return mismatched(m[2], kindWord(m[1]), kindWord(m[3]))
	}
	if m := isToken.FindStringSubmatch(message); m != nil {
		return m[1] + " is not expected here"
	}
	if m := isOfNothing.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("there is no %s: what it is asked of is nothing (NULL, or a row that is not there); write ?. in place of the dot before it", m[1])
	}
	if m := isNoBool.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("a condition is true or false, and this is %s; compare it with something", kindWord(m[1]))
	}
	if m := isNotInList.FindStringSubmatch(message); m != nil {
		return mismatched("in", kindWord(m[1]), "a list of which each is "+kindWord(m[2]))
	}
	if m := isNoLoop.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("%s goes over a list, and this is %s", m[1], kindWord(m[2]))
	}
	return message
}

const nothing = "nothing (NULL)"

// What times, and what their methods come to, are called.
const (
	aTime     = "a time"
	aDuration = "a duration"
	aWeekday  = "a day of the week"
	aMonth    = "a month"
)

// ofTimes is what to write where one of these does not go together with something else.
var ofTimes = map[string]string{
	aTime:     "; write date(...) around a text, or .Unix() behind a time for its seconds",
	aDuration: `; compare it with another one, such as duration("36h"), or write .Hours() behind it`,
	aWeekday:  "; write int(...) around a day of the week: Sunday is 0",
	aMonth:    "; write int(...) around a month: January is 1",
}

// mismatched says what an operator takes, and what it was given.
func mismatched(operator, first, second string) string {
	takes, write := "values that go together", ""
	switch operator {
	case "+":
		takes, write = "takes two numbers or two texts", "; write string(...) around what is no text"
	case "-", "*", "/", "%", "**", "^":
		takes, write = "takes two numbers", "; write float(...) around a text"
	case "<", ">", "<=", ">=":
		takes, write = "compares two numbers or two texts", "; write a number without quotes, and float(...) around a text"
	case "==", "!=":
		takes, write = "compares what is of one kind", "; write a number without quotes, and string(...) around what is no text"
	case "contains", "startsWith", "endsWith", "matches":
		takes, write = "takes two texts", "; write string(...) around what is none"
	case "in":
		takes = "looks for a value in a list, or for a name in an object"
	case "&&", "||", "and", "or":
		takes, write = "takes two conditions", "; compare each value with something"
	}
	write = cmp.Or(ofTimes[first], ofTimes[second], write)
	if first == nothing || second == nothing {
		write = `; write (... ?? 0) or (... ?? "") around what may be NULL`
	}
	return fmt.Sprintf("%s %s, and these are %s and %s%s", operator, takes, first, second, write)
}

// kindWord is what a type of Go's is called.
func kindWord(name string) string {
	switch name {
	case "int", "uint64", "float64":
		return "a number"
	case "string":
		return "a text"
	case "bool":
		return "true or false"
	case "<nil>", "nil":
		return nothing
	case "time.Time":
		return aTime
	case "time.Duration":
		return aDuration
	case "time.Weekday":
		return aWeekday
	case "time.Month":
		return aMonth
	}
	switch {
	case strings.HasPrefix(name, "[]"), name == "array":
		return "a list"
	case strings.HasPrefix(name, "map["):
		return "an object"
	}
	return name
}
