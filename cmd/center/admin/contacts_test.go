package admin

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"

	"zaseki/cmd/center/roster"
)

// brief is a contact on one line.
func briefly(f found) string {
	var all []string
	for i, c := range f.contacts {
		all = append(all, fmt.Sprintf("%d %s/%s/%s/%s/%s", f.lines[i], c.Name, c.Number, c.Reading, c.Company, c.Note))
	}
	return strings.Join(all, "\n")
}

func shiftJIS(t *testing.T, text string) string {
	t.Helper()
	out, err := japanese.ShiftJIS.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestContactsAreReadFromTheFilesThatProgramsWrite(t *testing.T) {
	utf16, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String("氏名\t電話\n佐藤\t03-1111-2222\n")
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct{ file, charset, want string }{
		"our own": {"\ufeffname,number,reading,company,note\r\n山田,'+81312345678,やまだ,山田商事,'=1+1\r\n", "utf-8", "2 山田/+81312345678/やまだ/山田商事/=1+1"},
		"Excel on a Japanese Windows": {shiftJIS(t, "名前,フリガナ,電話番号,会社名,備考\r\n髙橋①,ﾀｶﾊｼ,０３－１２３４－５６７８,㈱高橋,\"二行の\r\n備考\"\r\n"), "shift_jis",
			"2 髙橋①/０３－１２３４－５６７８/ﾀｶﾊｼ/㈱高橋/二行の 備考"},
		"Unicode text of Excel": {utf16, "utf-16", "2 佐藤/03-1111-2222///"},
		"Outlook, several numbers": {"姓,名,会社名,部署,会社電話,携帯電話,姓よみ,名よみ\n山田,太郎,山田商事,営業,0312345678,09012345678,やまだ,たろう\n", "utf-8",
			"2 山田 太郎/0312345678/やまだ たろう/山田商事/\n2 山田 太郎/09012345678/やまだ たろう/山田商事/"},
		"Google":            {"First Name,Last Name,Phonetic Last Name,Organization Name,Phone 1 - Label,Phone 1 - Value\nTaro,Yamada,やまだ,YMD,Work,+81 3-1234-5678\n", "utf-8", "2 Yamada Taro/+81 3-1234-5678/やまだ/YMD/"},
		"without a header":  {"山田,0312345678\n鈴木,1002,すずき\n", "utf-8", "1 山田/0312345678///\n2 鈴木/1002/すずき//"},
		"with semicolons":   {"Name;Phone\nMüller;0301234\n", "utf-8", "2 Müller/0301234///"},
		"empty lines":       {"name,number\n\n,,\n山田,1\n", "utf-8", "4 山田/1///"},
		"no number is told": {"name,number\n山田,\n", "utf-8", "2 山田////"},
		"a card": {"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:山田 太郎\r\nN:山田;太郎;;;\r\nX-PHONETIC-LAST-NAME:やまだ\r\nX-PHONETIC-FIRST-NAME:たろう\r\nORG:山田商事;営業\r\nitem1.TEL;TYPE=\"work,voice\":03-1234-5678\r\n" +
			"TEL;VALUE=uri:tel:+81-90-1234-5678\r\nNOTE:一行目\\n二\r\n 行目\\, 続き\r\nEND:VCARD\r\n", "utf-8",
			"1 山田 太郎/03-1234-5678/やまだ たろう/山田商事 営業/一行目 二行目, 続き\n1 山田 太郎/tel:+81-90-1234-5678/やまだ たろう/山田商事 営業/一行目 二行目, 続き"},
		"a card of an old telephone": {shiftJIS(t, "BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=SHIFT_JIS:鈴木;花子\r\nSOUND;X-IRMC-N;CHARSET=SHIFT_JIS:ｽｽﾞｷ;ﾊﾅｺ;;;\r\nTEL;CELL:09011112222\r\nEND:VCARD\r\n"), "shift_jis", "1 鈴木 花子/09011112222/ｽｽﾞｷ ﾊﾅｺ//"},
		"quoted-printable":           {"BEGIN:VCARD\nVERSION:2.1\nFN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=E5=B1=B1=\n=E7=94=B0\nTEL:1\nEND:VCARD\nBEGIN:VCARD\nFN:no number\nEND:VCARD\n", "utf-8", "1 山田/1///\n7 no number////"},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := readContacts([]byte(row.file))
			if got := briefly(f); err != nil || got != row.want || f.charset != row.charset {
				t.Errorf("%v %s\n%s\nwant %s\n%s", err, f.charset, got, row.charset, row.want)
			}
		})
	}
	for name, file := range map[string]string{"nothing": "", "a picture": "\x89PNG\r\n\x1a\n\x00\x00", "no names": "colour,size\nred,1\n", "a header alone": "name,number\n", "a card that does not end": "BEGIN:VCARD\nFN:x\nTEL:1\n"} {
		if f, err := readContacts([]byte(file)); err == nil {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestCardsOfOursAreReadAgain(t *testing.T) {
	c := roster.Contact{Name: `山田, "太郎"; \n`, Number: "+81312345678", Reading: "やまだ", Company: "A;B", Note: `back\slash, comma`}
	f, err := readContacts([]byte(cardOf(c) + cardOf(c)))
	if err != nil || len(f.contacts) != 2 || f.contacts[0].Note != c.Note || f.contacts[0].Company != "A;B" || f.contacts[0].Number != c.Number {
		t.Errorf("%+v %v", f, err)
	}
}

// FuzzContacts: whatever somebody calls an address book ends, without more contacts than it has bytes, and not in the middle of a sign.
func FuzzContacts(f *testing.F) {
	for _, seed := range []string{"name,number\n山田,1\n", "BEGIN:VCARD\nFN;ENCODING=QUOTED-PRINTABLE:=E5=\n=\n\nTEL:\\\nEND:VCARD\n", "\xff\xfea\x00", "\x82\xa0,1\n", "\"", "姓,電話\n\"a\nb\",'=1", "begin:vcard\n:\n;:\nN:\\;\nEND:x"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := readContacts(data)
		if err == nil && (len(got.contacts) == 0 || len(got.contacts) > len(data)+1 || len(got.lines) != len(got.contacts)) {
			t.Errorf("%d contacts, %d lines", len(got.contacts), len(got.lines))
		}
	})
}
