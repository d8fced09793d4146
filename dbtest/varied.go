package dbtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// Varied makes a salon of everything that an owner, another plugin or an old version may have left in the tables:
// settings that change, objects of every kind, some of them deleted while orders name them, columns that are null, zero
// dates, JSON that is none. The same seed makes the same salon.
type Varied struct {
	site   *Site
	random *rand.Rand
	last   map[string]int64 // the highest id, by table
	fields []string         // the names of the custom fields
}

// Varied makes objects in a site that has the sample's; call Settings and Orders next.
func (s *Site) Varied(ctx context.Context, seed uint64) (*Varied, error) {
	v := &Varied{site: s, random: rand.New(rand.NewPCG(seed, 12)), last: map[string]int64{}}
	for _, fill := range []func(context.Context) error{
		v.groups, v.services, v.employees, v.places, v.extras, v.payments, v.statuses, v.customFields, v.people, v.translations,
	} {
		if err := fill(ctx); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// each is how many objects of a kind there are; ids up to gone may be named, of which the highest do not exist.
const (
	firstVaried = 100 // below are the sample's
	each        = 12
	gone        = firstVaried + each + 2
)

// Settings rolls the site's settings: language, zones, formats of dates, credits.
func (v *Varied) Settings(ctx context.Context) error {
	for option, values := range map[string][]any{
		"timezone_string": {"Europe/Rome", "America/New_York", "Asia/Kathmandu", "Pacific/Chatham", "America/Sao_Paulo", "Etc/GMT+5", "", "UTC", "No/Such"},
		"date_format":     {"F j, Y", "d/m/Y", "l, jS F Y", `\o\n D, d M y`, "", "r", "c", "N W t L o B u v e I O P p T Z U"},
		"time_format":     {"g:i a", "H:i", "G:i:s T", "h:i A e", ""},
		"WPLANG":          {"", "it_IT", "de_DE_formal", "pt_BR", "en_US", "xx"},
		"siteurl":         {"http://salon.example.test", "https://salon.example.test/wp/"},
	} {
		if err := v.site.exec(ctx, "REPLACE INTO "+name(v.site.prefix+"options")+" (`option_name`, `option_value`) VALUES (%s, %s)",
			quote(option), quote(fmt.Sprint(v.any(values...)))); err != nil {
			return err
		}
	}
	for param, values := range map[string][]any{
		"dateformat":  {"Y-m-d", "Y/m/d", "d/m/Y", "m-d-Y", "d.m.Y", ""},
		"timeformat":  {"H:i", "h:i A", "g:i a"},
		"keepapplock": {"15", "0", "", "x", "1440"},
		"usercredit":  {"0", "1", ""}, "multitimezone": {"0", "1"}, "ismultilang": {"0", "1"},
	} {
		if err := v.site.exec(ctx, "REPLACE INTO %s (`param`, `setting`) VALUES (%s, %s)", v.site.table("config"), quote(param),
			quote(fmt.Sprint(v.any(values...)))); err != nil {
			return err
		}
	}
	return nil
}

// any is one of some values.
func (v *Varied) any(values ...any) any { return values[v.random.IntN(len(values))] }

// word is one of some texts.
func (v *Varied) word(texts ...string) string { return texts[v.random.IntN(len(texts))] }

// often says yes that many times of a hundred.
func (v *Varied) often(percent int) bool { return v.random.IntN(100) < percent }

// some is the id of an object, which may be deleted; now and then one that never was.
func (v *Varied) some() any {
	if v.often(8) {
		return v.any(-1, 0, gone+1000)
	}
	return firstVaried + 1 + v.random.IntN(gone-firstVaried)
}

// text is a text that fits into n characters.
func (v *Varied) text(n int) any {
	s := []rune(v.word("Anna", "Zoë \"Z\" O'Neill", `back\slash`, "<b>tag</b> & entity", "日本語 テスト", "", "12", "007", "1e5", " spaces ", "مرحبا",
		"line\nbreak", "null", "[]", "a;;b", strings.Repeat("long ", 60)))
	return string(s[:min(n, len(s))])
}

// money is an amount.
func (v *Varied) money() any {
	return v.any("0.00", "0", "25.50", "99.99", "1234.56", "0.01", "-5.00", fmt.Sprintf("%.2f", v.random.Float64()*500))
}

// moment is a time as columns have it. Nullable columns may have none.
func (v *Varied) moment(nullable bool) any {
	if nullable && v.often(20) {
		return nil
	}
	return v.any("0000-00-00 00:00:00", "2026-03-29 01:30:00", "2026-10-25 00:30:00", "2027-02-28 23:59:59", "2039-01-01 00:00:00", "1969-12-31 12:00:00",
		fmt.Sprintf("2027-%02d-%02d %02d:%02d:00", 1+v.random.IntN(12), 1+v.random.IntN(28), v.random.IntN(24), 5*v.random.IntN(12)))
}

// zone is a time zone's name, or what stands for one.
func (v *Varied) zone() any {
	return v.any("", "Europe/Rome", "Asia/Tokyo", "Asia/Kathmandu", "America/Sao_Paulo", "America/Argentina/Buenos_Aires", "Pacific/Chatham", "UTC", "No/Such")
}

// odd is what may stand where a list in JSON should, besides good ones.
func (v *Varied) odd(good ...any) any {
	if v.often(60) {
		return v.any(good...)
	}
	return v.any(nil, "", "[]", "{}", "null", "not json", `"text"`, "5", "true", `[[1,{"a":null}]]`, `{"1":"b"}`, `[1,`)
}

// rows are those of a table that are inserted at once.
type rows struct {
	table   string
	columns []string
	values  [][]any
}

// of makes n rows of a table with the next ids, which come first; row gives the values of the other columns.
func (v *Varied) of(table, columns string, n int, row func(i int) []any) *rows {
	r := &rows{table: table, columns: append([]string{"id"}, strings.Fields(columns)...)}
	if v.last[table] == 0 {
		v.last[table] = firstVaried
	}
	for i := range n {
		v.last[table]++
		r.values = append(r.values, append([]any{v.last[table]}, row(i)...))
	}
	return r
}

func (v *Varied) insert(ctx context.Context, all ...*rows) error {
	for _, r := range all {
		columns := make([]string, len(r.columns))
		for i, c := range r.columns {
			columns[i] = name(c)
		}
		for chunk := range slices.Chunk(r.values, 500) {
			var b strings.Builder
			for i, values := range chunk {
				if i > 0 {
					b.WriteString(", ")
				}
				b.WriteByte('(')
				for j, value := range values {
					if j > 0 {
						b.WriteString(", ")
					}
					if value == nil {
						b.WriteString("NULL")
						continue
					}
					b.WriteString(quote(fmt.Sprint(value)))
				}
				b.WriteByte(')')
			}
			query := "INSERT INTO " + v.site.table(r.table) + " (" + strings.Join(columns, ", ") + ") VALUES " + b.String()
			if _, err := v.site.db.ExecContext(ctx, query); err != nil {
				return fmt.Errorf("a varied salon: inserting into %s: %w", r.table, err)
			}
		}
	}
	return nil
}
