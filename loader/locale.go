package loader

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"rowhook/loader/render"
	"rowhook/regular"
)

// embedded is the names by language, for sites whose WordPress folder we cannot read: months, their short forms, days
// from Sunday, their short forms.
var embedded = map[string]string{
	"it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre " +
		"Gen Feb Mar Apr Mag Giu Lug Ago Set Ott Nov Dic " +
		"domenica lunedì martedì mercoledì giovedì venerdì sabato Dom Lun Mar Mer Gio Ven Sab",
	"de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember " +
		"Jan. Feb. März Apr. Mai Juni Juli Aug. Sep. Okt. Nov. Dez. " +
		"Sonntag Montag Dienstag Mittwoch Donnerstag Freitag Samstag So. Mo. Di. Mi. Do. Fr. Sa.",
	"fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre " +
		"Jan Fév Mar Avr Mai Juin Juil Août Sep Oct Nov Déc " +
		"dimanche lundi mardi mercredi jeudi vendredi samedi dim lun mar mer jeu ven sam",
	"es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre " +
		"Ene Feb Mar Abr May Jun Jul Ago Sep Oct Nov Dic " +
		"domingo lunes martes miércoles jueves viernes sábado Dom Lun Mar Mié Jue Vie Sáb",
	"nl": "januari februari maart april mei juni juli augustus september oktober november december " +
		"jan feb mrt apr mei jun jul aug sep okt nov dec " +
		"zondag maandag dinsdag woensdag donderdag vrijdag zaterdag zo ma di wo do vr za",
	"pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro " +
		"jan fev mar abr maio jun jul ago set out nov dez " +
		"domingo segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado dom seg ter qua qui sex sáb",
}

// locales finds the names of locales. Where a site's WordPress folder is known, they are those of its language pack,
// English without one, as WordPress has it; else those that are embedded.
type locales struct {
	mu    sync.Mutex
	packs map[string]languagePack // by file
}

type languagePack struct {
	changed time.Time
	names   *render.Names
}

// of is the names of a locale (it_IT; empty is English) at a site whose WordPress stands in root, empty when unknown.
func (l *locales) of(root, locale string) *render.Names {
	if locale == "" || strings.HasPrefix(locale, "en") || strings.ContainsAny(locale, `/\`) {
		return render.English()
	}
	if root == "" {
		language, _, _ := strings.Cut(locale, "_")
		return embeddedNames(language)
	}
	file := filepath.Join(root, "wp-content", "languages", locale+".mo")
	info, err := os.Stat(file)
	if err != nil {
		return render.English()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	pack, ok := l.packs[file]
	if !ok || !pack.changed.Equal(info.ModTime()) {
		pack = languagePack{info.ModTime(), namesFromPack(file)}
		l.packs[file] = pack
	}
	return pack.names
}

func embeddedNames(language string) *render.Names {
	words := strings.Fields(embedded[language])
	if len(words) != 12+12+7+7 {
		return render.English()
	}
	n := render.English()
	copy(n.Months[:], words)
	copy(n.MonthsShort[:], words[12:])
	copy(n.Days[:], words[24:])
	copy(n.DaysShort[:], words[31:])
	return n
}

// maxPack is the largest language pack that is read, in bytes. WordPress' own have about 1 MB.
const maxPack = 16 << 20

// namesFromPack translates the English names with a language pack. What it does not translate stays English.
func namesFromPack(file string) *render.Names {
	n, english := render.English(), render.English()
	f, err := regular.Open(file)
	if err != nil {
		return n
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxPack+1))
	if err != nil || len(data) > maxPack {
		return n
	}
	texts := parsePack(data)
	translate := func(words []string, context string) {
		for i, word := range words {
			if t := texts[context+word]; t != "" {
				words[i] = t
			} else if t := texts[word]; t != "" {
				words[i] = t
			}
		}
	}
	for i := range n.MonthsShort {
		translate(n.MonthsShort[i:i+1], english.Months[i]+" abbreviation\x04")
	}
	for i := range n.DaysShort {
		translate(n.DaysShort[i:i+1], english.Days[i]+" abbreviation\x04")
	}
	translate(n.Months[:], "")
	translate(n.Days[:], "")
	translate(n.Meridiem[:], "")
	n.Genitive = english.Months
	translate(n.Genitive[:], "genitive\x04")
	n.Declines = texts["decline months names: on or off\x04off"] == "on"
	return n
}

// parsePack reads the texts of a gettext .mo file, as far as it is one.
func parsePack(data []byte) map[string]string {
	texts := map[string]string{}
	number := func(at uint64) uint64 {
		if at+4 > uint64(len(data)) {
			return 0
		}
		return uint64(data[at]) | uint64(data[at+1])<<8 | uint64(data[at+2])<<16 | uint64(data[at+3])<<24
	}
	text := func(at uint64) string {
		size, start := number(at), number(at+4)
		if start+size > uint64(len(data)) {
			return ""
		}
		return string(data[start : start+size])
	}
	const magic, entry, most = 0x950412de, 8, 1 << 17
	if number(0) != magic {
		return texts
	}
	count, from, to := min(number(8), most), number(12), number(16)
	for i := range count {
		if key := text(from + i*entry); key != "" {
			texts[key] = text(to + i*entry)
		}
	}
	return texts
}
