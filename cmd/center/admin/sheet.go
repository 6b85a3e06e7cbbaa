package admin

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"

	"zaseki/cmd/center/roster"
)

// Contacts as files have them: tables (CSV) as spreadsheets and mail programs write them, and cards (vCard 2.1, 3.0, 4.0).

// Reasons why a file cannot be read: keys of admin.book.
const (
	noColumns = "no_columns" // nothing in the first row is called name or number
	notText   = "not_text"
	isEmpty   = "empty"
)

// unreadable is a file of which nothing can be taken.
type unreadable string

func (u unreadable) Error() string { return "contacts: " + string(u) }

// found are the contacts of a file.
type found struct {
	kind     string // csv, vcard
	charset  string // utf-8, utf-16, shift_jis
	contacts []roster.Contact
	lines    []int    // where each stands, from 1
	ignored  []string // columns that say nothing to us
}

func (f *found) add(line int, c roster.Contact) {
	f.contacts, f.lines = append(f.contacts, c), append(f.lines, line)
}

// full: more than fit into the book are not read.
func (f *found) full() bool { return len(f.contacts) > roster.BookMax }

// readContacts reads either sort of file.
func readContacts(data []byte) (found, error) {
	var f found
	text, charset, err := decode(data)
	if err != nil {
		return f, err
	}
	f.charset = charset
	if head := strings.TrimLeft(text[:min(len(text), 200)], " \t\r\n"); len(head) >= 11 && strings.EqualFold(head[:11], "BEGIN:VCARD") {
		f.kind = "vcard"
		f.readCards(text)
	} else {
		f.kind = "csv"
		err = f.readTable(text)
	}
	if err == nil && len(f.contacts) == 0 {
		err = unreadable(isEmpty)
	}
	return f, err
}

// decode finds out how a file is written. A spreadsheet on a Japanese Windows saves Shift_JIS.
func decode(data []byte) (text, charset string, err error) {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		data, err = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Bytes(data)
		charset = "utf-16"
	case utf8.Valid(data):
		data, charset = bytes.TrimPrefix(data, []byte("\ufeff")), "utf-8"
	default:
		data, err = japanese.ShiftJIS.NewDecoder().Bytes(data)
		charset = "shift_jis"
	}
	if err != nil || bytes.IndexByte(data, 0) >= 0 {
		return "", "", unreadable(notText)
	}
	return string(data), charset, nil
}

// What a column may be called, folded; the export's own names first.
var (
	asName    = []string{"name", "名前", "氏名", "表示名", "お名前", "display name", "full name", "連絡先名", "file as"}
	asFamily  = []string{"姓", "last name", "family name", "苗字"}
	asGiven   = []string{"名", "first name", "given name"}
	asNumber  = []string{"number", "番号", "電話番号", "電話", "phone", "tel", "telephone", "phone number", "携帯", "携帯電話", "mobile", "mobile phone", "会社電話", "会社電話 2", "勤務先電話番号", "business phone", "business phone 2", "自宅電話", "自宅電話番号", "home phone", "代表電話", "company main phone", "primary phone", "phone 1 - value", "phone 2 - value", "内線", "extension"}
	asReading = []string{"reading", "よみがな", "読み", "読み仮名", "よみ", "ふりがな", "ふりがな(カナ)", "かな", "kana", "yomi", "yomigana", "furigana", "phonetic"}
	asFamRead = []string{"姓よみ", "姓(ふりがな)", "姓ふりがな", "せい", "last name yomi", "family name yomi", "phonetic last name"}
	asGivRead = []string{"名よみ", "名(ふりがな)", "名ふりがな", "めい", "first name yomi", "given name yomi", "phonetic first name"}
	asCompany = []string{"company", "会社", "会社名", "勤務先", "組織", "organization", "organization name", "organization 1 - name", "group", "ぐるーぷ", "所属", "部署", "department"}
	asNote    = []string{"note", "備考", "めも", "notes", "memo", "コメント", "remarks"}
)

// columns says which cells are what.
type columns struct {
	name, family, given, reading, famRead, givRead, company, note int // -1: there is none
	numbers                                                       []int
}

func columnsOf(header []string) (c columns, ignored []string) {
	at := func(names []string) int {
		for _, n := range names {
			if i := slices.IndexFunc(header, func(h string) bool { return foldHead(h) == roster.Fold(n) }); i >= 0 {
				return i
			}
		}
		return -1
	}
	c = columns{at(asName), at(asFamily), at(asGiven), at(asReading), at(asFamRead), at(asGivRead), at(asCompany), at(asNote), nil}
	used := []int{c.name, c.family, c.given, c.reading, c.famRead, c.givRead, c.company, c.note}
	for i, h := range header {
		if slices.ContainsFunc(asNumber, func(n string) bool { return roster.Fold(n) == foldHead(h) }) {
			c.numbers = append(c.numbers, i)
		} else if !slices.Contains(used, i) && strings.TrimSpace(h) != "" {
			ignored = append(ignored, clipped(h))
		}
	}
	return c, ignored
}

func foldHead(h string) string { return strings.TrimSpace(roster.Fold(h)) }

func clipped(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}

// plainColumns are those of a table without a header: as the export has them.
var plainColumns = columns{name: 0, family: -1, given: -1, reading: 2, famRead: -1, givRead: -1, company: 3, note: 4, numbers: []int{1}}

func (f *found) readTable(text string) error {
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = separator(text), true, -1
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		return unreadable(isEmpty)
	}
	if err != nil {
		return unreadable(notText)
	}
	c, ignored := columnsOf(header)
	f.ignored = ignored
	if len(c.numbers) == 0 || c.name < 0 && c.family < 0 && c.company < 0 {
		if len(header) < 2 || !dialable(header[1]) {
			return unreadable(noColumns)
		}
		c, f.ignored = plainColumns, nil
		f.row(1, header, c)
	}
	for !f.full() {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return unreadable(notText)
		}
		line, _ := r.FieldPos(0)
		f.row(line, cells, c)
	}
	return nil
}

// separator of a table is what stands most often in its first line.
func separator(text string) rune {
	first, _, _ := strings.Cut(text, "\n")
	best := ','
	for _, s := range "\t;" {
		if strings.Count(first, string(s)) > strings.Count(first, string(best)) {
			best = s
		}
	}
	return best
}

func dialable(s string) bool {
	digits := 0
	for _, r := range roster.Fold(s) {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case !strings.ContainsRune("+-() .*#'", r):
			return false
		}
	}
	return digits >= 2
}

// row makes contacts of a line of a table: one for each of its numbers. An empty line is none.
func (f *found) row(line int, cells []string, c columns) {
	cell := func(i int) string {
		if i < 0 || i >= len(cells) {
			return ""
		}
		return oneLine(live(cells[i]))
	}
	join := func(whole, first, second string) string {
		if whole != "" {
			return whole
		}
		return strings.TrimSpace(first + " " + second)
	}
	one := roster.Contact{Name: join(cell(c.name), cell(c.family), cell(c.given)), Reading: join(cell(c.reading), cell(c.famRead), cell(c.givRead)),
		Company: cell(c.company), Note: cell(c.note)}
	if one.Name == "" {
		one.Name = one.Company
	}
	any := false
	for _, i := range c.numbers {
		if one.Number = cell(i); one.Number != "" {
			any = true
			f.add(line, one)
		}
	}
	if one.Number = ""; !any && one != (roster.Contact{}) {
		f.add(line, one) // its fault is told
	}
}

// live is a cell without the sign that keeps a spreadsheet from calculating with it.
func live(cell string) string {
	if rest, ok := strings.CutPrefix(cell, "'"); ok && rest != "" && strings.ContainsRune("=+-@", rune(rest[0])) {
		return rest
	}
	return cell
}

// inert is the other way round.
func inert(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// oneLine is a text whose line breaks are spaces.
func oneLine(s string) string {
	return strings.TrimSpace(strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ", "\t", " ").Replace(s))
}
