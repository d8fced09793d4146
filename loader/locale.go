package loader

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"rowhook/loader/render"
	"rowhook/regular"
	"rowhook/retry"
)

// embedded is the names by language, for sites whose WordPress folder we do not know or cannot read: months, their short forms, days
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

// locales finds the names of locales. Where a site's WordPress folder is known, they are those of its language pack, English without
// one, as WordPress has it. Where it is not, or is closed to us, they are those that are embedded.
type locales struct {
	mu    sync.Mutex
	packs map[string]languagePack   // by file
	told  map[string]*retry.Trouble // by site: packs that cannot be read
}

type languagePack struct {
	changed time.Time
	names   *render.Names
}

// isEnglish says whether a locale (it_IT; empty is English) needs no language pack.
func isEnglish(locale string) bool {
	return locale == "" || strings.HasPrefix(locale, "en") || strings.ContainsAny(locale, `/\`)
}

// of is the names of a locale at a site whose WordPress stands in root, empty when unknown. The error is why its language pack
// cannot be looked at; there are names all the same.
func (l *locales) of(root, locale string) (*render.Names, error) {
	if isEnglish(locale) {
		return render.English(), nil
	}
	language, _, _ := strings.Cut(locale, "_")
	if root == "" {
		return embeddedNames(language), nil
	}
	names, err := l.pack(root, packFile(root, locale))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return embeddedNames(language), err
	}
	return names, err
}

// packFile is where WordPress has the language pack of a locale.
func packFile(root, locale string) string {
	return filepath.Join(contentOf(root), "languages", locale+".mo")
}

// contentOf is the folder of WordPress' folder that has language packs, themes and plugins.
func contentOf(root string) string { return filepath.Join(root, "wp-content") }

// pack is the names of a language pack, English where there is none.
func (l *locales) pack(root, file string) (*render.Names, error) {
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		_, err := os.Stat(contentOf(root)) // is it there at all?
		return render.English(), err
	}
	if err != nil {
		return render.English(), err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	pack, ok := l.packs[file]
	if !ok || !pack.changed.Equal(info.ModTime()) {
		names, err := namesFromPack(file)
		if err != nil {
			return render.English(), err
		}
		pack = languagePack{info.ModTime(), names}
		l.packs[file] = pack
	}
	return pack.names, nil
}

// tell says in the log that a site's language pack cannot be read, when that begins and each hour.
func (l *locales) tell(log *slog.Logger, site, locale string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	trouble := l.told[site]
	if trouble == nil {
		trouble = &retry.Trouble{}
		l.told[site] = trouble
	}
	if err == nil {
		trouble.Over()
	} else if trouble.Worth(err) {
		log.Warn("the language pack of a site's WordPress cannot be read; names of months and days in its payloads are rowhook's own for that language, or English",
			slog.String("site", site), slog.String("locale", locale), slog.Any("error", err), slog.Time("since", trouble.Since()), slog.String("fix", "rowhook check"))
	}
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
func namesFromPack(file string) (*render.Names, error) {
	n, english := render.English(), render.English()
	f, err := regular.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxPack+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxPack {
		return nil, fmt.Errorf("%s is larger than %d MB", file, maxPack>>20)
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
	return n, nil
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
