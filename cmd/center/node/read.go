package node

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"

	"zaseki/cmd/center/roster"
)

const maxImport = 8 << 20 // bytes of one file of an import

// ReadSetup reads an import: a JSON file, or a folder or zip of CSV files with a header row each (accounts.csv, terminals.csv,
// groups.csv, statuses.csv, floors.csv, seats.csv, queues.csv; all may be missing). It returns the setup as JSON too, for a running
// center: a Setup never writes its secrets.
func ReadSetup(path string) (roster.Setup, json.RawMessage, error) {
	raw, err := readRaw(path)
	if err != nil {
		return roster.Setup{}, nil, fmt.Errorf("import %s: %w", path, err)
	}
	s, err := ParseSetup(raw)
	if err == nil {
		raw, err = inlineCA(&s, raw, filepath.Dir(path))
	}
	if err != nil {
		return s, nil, fmt.Errorf("import %s: %w", path, err)
	}
	return s, raw, nil
}

// inlineCA puts the certificate itself where site.sip.ca names a file beside the import.
func inlineCA(s *roster.Setup, raw json.RawMessage, dir string) (json.RawMessage, error) {
	if s.Site == nil || s.Site.SIP.CA == "" || strings.Contains(s.Site.SIP.CA, "-----BEGIN") {
		return raw, nil
	}
	file := s.Site.SIP.CA
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("site.sip.ca: %w", err)
	}
	s.Site.SIP.CA = string(pem)
	return patched(raw, s.Site.SIP.CA, "site", "sip", "ca") // as it stands: a Setup never writes its secrets
}

// patched replaces one value deep in an object and leaves all else as it is.
func patched(raw json.RawMessage, value string, path ...string) (json.RawMessage, error) {
	if len(path) == 0 {
		return json.Marshal(value)
	}
	var parts map[string]json.RawMessage
	err := json.Unmarshal(raw, &parts)
	if err == nil {
		parts[path[0]], err = patched(parts[path[0]], value, path[1:]...)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(parts)
}

// ParseSetup reads a setup from JSON. An unknown field is an error here, for it is a typing error in a file made by hand.
func ParseSetup(raw []byte) (roster.Setup, error) {
	var s roster.Setup
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	err := d.Decode(&s)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("something follows the setup")
		}
	}
	if err != nil {
		return s, fmt.Errorf("%s: %w", place(raw, offset(err, d.InputOffset())), err)
	}
	return s, nil
}

func offset(err error, seen int64) int64 {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return syntax.Offset
	case errors.As(err, &kind):
		return kind.Offset
	}
	return seen
}

// place is a byte's line and column, both from 1.
func place(raw []byte, at int64) string {
	before := raw[:max(0, min(int(at), len(raw)))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Sprintf("line %d, column %d", line, column)
}

func readRaw(path string) (json.RawMessage, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return readTables(os.DirFS(path))
	case strings.EqualFold(filepath.Ext(path), ".zip"):
		z, err := zip.OpenReader(path)
		if err != nil {
			return nil, err
		}
		defer z.Close()
		return readTables(z)
	case info.Size() > maxImport:
		return nil, fmt.Errorf("larger than %d bytes", maxImport)
	}
	raw, err := os.ReadFile(path)
	return bytes.TrimPrefix(raw, []byte("\ufeff")), err
}

// table says how a CSV file becomes a part of the setup.
type table struct {
	part    string
	columns map[string]func(string) (any, error) // by header
}

func tables() []table {
	text := func(s string) (any, error) { return s, nil }
	number := func(s string) (any, error) {
		n, err := strconv.Atoi(s)
		if err != nil {
			return nil, errors.New("is not a whole number")
		}
		return n, nil
	}
	truth := func(s string) (any, error) {
		switch strings.ToLower(s) {
		case "1", "true", "yes", "はい":
			return true, nil
		case "0", "false", "no", "いいえ":
			return false, nil
		}
		return nil, errors.New("is neither yes nor no")
	}
	words := func(s string) (any, error) {
		return strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ';' || r == ',' || r == '、' }), nil
	}
	type columns = map[string]func(string) (any, error)
	return []table{
		{"accounts", columns{"account": text, "name": text, "password": text, "hash": text, "role": text, "agent": truth, "terminals": words,
			"groups": words, "mail": text, "off": truth, "subject": text}},
		{"groups", columns{"id": text, "name": text}},
		{"terminals", columns{"extension": text, "type": text, "name": text, "secret": text, "account": text}},
		{"statuses", columns{"id": text, "name_en": text, "name_ja": text, "class": text, "colour": text, "sign": text, "pickable": truth, "minutes": number}},
		{"floors", columns{"id": text, "name": text}},
		{"seats", columns{"id": text, "name": text, "floor": text, "x": number, "y": number}},
		{"queues", columns{"extension": text, "name": text}},
	}
}

// readTables makes a setup of the CSV files in a folder.
func readTables(files fs.FS) (json.RawMessage, error) {
	setup, found := map[string][]map[string]any{}, 0
	for _, t := range tables() {
		name := t.part + ".csv"
		data, err := readLimited(files, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found++
		if setup[t.part], err = t.read(data); err != nil {
			return nil, fmt.Errorf("%s %w", name, err)
		}
	}
	if found == 0 {
		return nil, errors.New("has none of accounts.csv, groups.csv, terminals.csv, statuses.csv, floors.csv, seats.csv, queues.csv")
	}
	addFloors(setup)
	return json.Marshal(setup)
}

// addFloors makes the floors that seats name and no file defines.
func addFloors(setup map[string][]map[string]any) {
	have := map[any]bool{}
	for _, f := range setup["floors"] {
		have[f["id"]] = true
	}
	for _, s := range setup["seats"] {
		if id := s["floor"]; id != nil && !have[id] {
			have[id] = true
			setup["floors"] = append(setup["floors"], map[string]any{"id": id, "name": id})
		}
	}
}

func readLimited(files fs.FS, name string) ([]byte, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxImport+1))
	if err == nil && len(data) > maxImport {
		err = fmt.Errorf("%s is larger than %d bytes", name, maxImport)
	}
	return data, err
}

// read makes the rows of one file; an error names line and column.
func (t table) read(data []byte) ([]map[string]any, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) { // a spreadsheet on a Japanese Windows saves Shift_JIS
		decoded, err := japanese.ShiftJIS.NewDecoder().Bytes(data)
		if err != nil {
			return nil, errors.New("is neither UTF-8 nor Shift_JIS")
		}
		data = decoded
	}
	r := csv.NewReader(bytes.NewReader(data))
	header, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("line 1: header row: %w", err)
	}
	for i, h := range header {
		header[i] = strings.ToLower(strings.TrimSpace(h))
		if t.columns[header[i]] == nil {
			line, column := r.FieldPos(i)
			return nil, fmt.Errorf("line %d, column %d: no column is called %q", line, column, h)
		}
	}
	var rows []map[string]any
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err // csv.ParseError names line and column
		}
		row, err := t.row(r, header, fields)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
}

func (t table) row(r *csv.Reader, header, fields []string) (map[string]any, error) {
	row := map[string]any{}
	for i, field := range fields {
		if field == "" {
			continue
		}
		if header[i] != "password" && header[i] != "secret" {
			field = strings.TrimSpace(field)
		}
		value, err := t.columns[header[i]](field)
		if err != nil {
			line, column := r.FieldPos(i)
			return nil, fmt.Errorf("line %d, column %d: %s %w", line, column, header[i], err)
		}
		if lang, ok := strings.CutPrefix(header[i], "name_"); ok {
			names, _ := row["name"].(map[string]any)
			if names == nil {
				names = map[string]any{}
				row["name"] = names
			}
			names[lang] = value
			continue
		}
		row[header[i]] = value
	}
	return row, nil
}
