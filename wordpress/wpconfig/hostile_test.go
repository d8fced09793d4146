package wpconfig

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestHostile: whoever owns a wp-config.php has nobody wait for it, and a file that takes too much work is known to be one.
func TestHostile(t *testing.T) {
	t.Parallel()
	const all = mostFile - 1024
	const patience = 30 * time.Second // each takes half a second at most, and more on a busy machine with the race detector; unbounded, minutes
	fill := func(begin, again string) string {
		return begin + strings.Repeat(again, (all-len(begin))/len(again))
	}
	var includes, reads strings.Builder
	for n := range 1000 {
		fmt.Fprintf(&includes, "include 'big%d.php';\n", n%9)
		fmt.Fprintf(&reads, "$x%d = file_get_contents('big%d.php');\n", n, n%9)
	}
	for n := range 9 {
		big := fmt.Sprintf("\n-- big%d.php\n<?php %s", n, fill("", ";"))
		includes.WriteString(big)
		reads.WriteString(big)
	}
	for name, php := range map[string]string{
		"if without endif":             strings.Repeat("if(1):;", 50),
		"if without endif, long":       fill("", "if(1):;"),
		"if without endif, in strings": strings.Repeat(`if(1):"`+strings.Repeat("$a", 5000)+`";`, 50),
		"braces":                       fill(strings.Repeat("{", 99), "$a;"),
		"ifs":                          fill("", "if(1){"),
		"switches":                     fill("", "switch(1){case 1:"),
		"variables in a loop":          fill("for(;;){", "$a;"),
		"variables in a loop with &":   fill("foreach($x as &$y){", "$a;"),
		"keys in a loop":               fill("for(;;){", "$a[$a["),
		"comments":                     fill("", "#?><?php "),
		"variables in a string":        fill(`"`, "$a"),
		"keys in a string":             fill(`"`, "$a[$"),
		"includes":                     includes.String(),
		"reads":                        reads.String(),
	} {
		t.Run(name, func(t *testing.T) {
			root := site(t, "$table_prefix = 'before_';\n"+php)
			began := time.Now()
			c, err := Read(root, Options{Env: environment(nil)})
			if took := time.Since(began); took > patience {
				t.Errorf("takes %s", took)
			}
			if _, is := errors.AsType[*UnknownError](err); err != nil && !is {
				t.Error(err)
			}
			if err == nil && c.Prefix == "before_" {
				t.Errorf("what is read in part counts: %+v", c)
			}
		})
	}
}
