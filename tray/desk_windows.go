package tray

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
	"unicode/utf16"
	"unsafe"

	"golang.org/x/sys/windows"
)

// desk is the desktop session. Its notes are toasts with buttons; where Windows has none, those of the icon, which have no buttons and
// are shown one at a time, and a click on one goes to the tray's library, which has no use for it.
type desk struct {
	clicks chan deskNews

	mu     sync.Mutex
	plain  error           // why there are no toasts; nil: there are
	last   uint32          // number of the newest note
	toasts map[uint32]note // that are shown
}

// deskNews is a click on a note.
type deskNews struct {
	id  uint32
	key string
}

func openDesk(context.Context) (*desk, error) {
	d := &desk{clicks: make(chan deskNews, 16), toasts: map[uint32]note{}}
	d.plain = readyToasts(func(said string) {
		if id, key, ok := readClick(said); ok {
			select {
			case d.clicks <- deskNews{id, key}:
			default: // a person does not click so often
			}
		}
	})
	return d, nil
}

// close takes away what is still shown: a click on it would go nowhere.
func (d *desk) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.toasts) > 0 {
		_ = clearToasts()
	}
}

// lost never happens: the system ends us with the session.
func (*desk) lost() <-chan struct{} { return nil }

// iconNote is NOTIFYICONDATAW (shellapi.h).
type iconNote struct {
	size             uint32
	window           windows.Handle
	id, flags, event uint32
	icon             windows.Handle
	tip              [128]uint16
	state, stateMask uint32
	info             [256]uint16
	timeout          uint32
	title            [64]uint16
	infoFlags        uint32
	item             windows.GUID
	balloonIcon      windows.Handle
}

// notify shows a note, in the place of an older one if it names one, and gives its number.
func (d *desk) notify(_ context.Context, n note) (uint32, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.plain == nil {
		if _, shown := d.toasts[n.replaces]; shown {
			d.removeLocked(n.replaces)
		}
		if d.plain = showToast(d.last+1, n); d.plain == nil {
			d.last++
			d.toasts[d.last] = n
			return d.last, nil
		}
	}
	if err := say(n.title, n.body); err != nil {
		return 0, fmt.Errorf("%w (and no toasts: %w)", err, d.plain)
	}
	d.last++
	return d.last, nil
}

// withdraw takes the note away; one of the icon's only if it is still the newest.
func (d *desk) withdraw(_ context.Context, id uint32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, shown := d.toasts[id]; shown {
		d.removeLocked(id)
	} else if d.plain != nil && id == d.last {
		_ = say("", "") // one that is gone already is fine
	}
}

// removeLocked takes all toasts away, and shows the others again.
func (d *desk) removeLocked(id uint32) {
	delete(d.toasts, id)
	if err := clearToasts(); err != nil {
		return // they go by themselves; a click on one of them is not meant any more
	}
	for id, n := range d.toasts {
		_ = showToast(id, n)
	}
}

// say has the icon say it; nothing takes away what it says.
func say(title, body string) error {
	window, err := iconWindow()
	if err != nil {
		return err
	}
	const modify, withInfo, infoSign, noSound, iconID = 1, 0x10, 1, 0x10, 100 // the library's number of its icon
	n := iconNote{window: window, id: iconID, flags: withInfo, infoFlags: infoSign | noSound}
	n.size = uint32(unsafe.Sizeof(n))
	fill(n.title[:], title)
	fill(n.info[:], body)
	shell := windows.NewLazySystemDLL("shell32.dll").NewProc("Shell_NotifyIconW")
	if ok, _, err := shell.Call(modify, uintptr(unsafe.Pointer(&n))); ok == 0 {
		return fmt.Errorf("Shell_NotifyIcon: %w", err)
	}
	return nil
}

// fill writes the text with its closing zero, cut to what there is room for.
func fill(to []uint16, text string) {
	units := utf16.Encode([]rune(text))
	if most := len(to) - 1; len(units) > most {
		units = units[:most]
		if utf16.IsSurrogate(rune(units[most-1])) && units[most-1] < 0xdc00 {
			units = units[:most-1]
		}
	}
	copy(to, units)
}

// iconWindow is the window that the library made for the icon of this process.
func iconWindow() (windows.Handle, error) {
	class, err := windows.UTF16PtrFromString("SystrayClass")
	if err != nil {
		return 0, err
	}
	find := windows.NewLazySystemDLL("user32.dll").NewProc("FindWindowExW")
	for window := uintptr(0); ; {
		window, _, _ = find.Call(0, window, uintptr(unsafe.Pointer(class)), 0)
		if window == 0 {
			return 0, errors.New("no icon to show it at")
		}
		var process uint32
		if _, err := windows.GetWindowThreadProcessId(windows.HWND(window), &process); err == nil && process == windows.GetCurrentProcessId() {
			return windows.Handle(window), nil
		}
	}
}

func (d *desk) news() <-chan deskNews { return d.clicks }

// readNews takes one of it apart: which note, and the key of the action.
func readNews(n deskNews) (id uint32, key string, ok bool) { return n.id, n.key, true }

// taskbarWait is how long we wait at login for the taskbar: the library takes its absence for good.
const taskbarWait = time.Minute

// noIcon waits for the taskbar and says why there can be no icon, or "".
func (*desk) noIcon(ctx context.Context, log *slog.Logger) string {
	class, err := windows.UTF16PtrFromString("Shell_TrayWnd")
	if err != nil {
		return err.Error()
	}
	find := windows.NewLazySystemDLL("user32.dll").NewProc("FindWindowW")
	ctx, stop := context.WithTimeout(ctx, taskbarWait)
	defer stop()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		if window, _, _ := find.Call(uintptr(unsafe.Pointer(class)), 0); window != 0 {
			return ""
		}
		select {
		case <-ctx.Done():
			return "no taskbar"
		case <-tick.C:
		}
	}
}
