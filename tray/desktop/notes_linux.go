package desktop

import "github.com/godbus/dbus/v5"

// Note is a notification as the desktop gets it.
type Note struct {
	Title, Body string
	Actions     []string // key, label, key, label, …
	Urgency     byte     // 0 low, 1 normal, 2 critical
	Lasts       int32    // milliseconds; 0: until it is closed; -1: as the desktop likes
}

// noteServer is org.freedesktop.Notifications.
type noteServer Desktop

func (s *noteServer) GetCapabilities() ([]string, *dbus.Error) {
	return []string{"actions", "body", "body-markup"}, nil
}

func (s *noteServer) Notify(_ string, replaces uint32, _, title, body string, actions []string,
	hints map[string]dbus.Variant, lasts int32) (uint32, *dbus.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := replaces
	if id == 0 {
		s.serial++
		id = s.serial
	}
	urgency, _ := hints["urgency"].Value().(byte)
	s.open[id] = Note{Title: title, Body: body, Actions: actions, Urgency: urgency, Lasts: lasts}
	s.sent = append(s.sent, s.open[id])
	return id, nil
}

func (s *noteServer) CloseNotification(id uint32) *dbus.Error {
	s.mu.Lock()
	_, open := s.open[id]
	delete(s.open, id)
	s.mu.Unlock()
	if open {
		_ = s.conn.Emit(notesPath, notes+".NotificationClosed", id, uint32(3))
	}
	return nil
}

// Note is the one note that is shown.
func (d *Desktop) Note() (uint32, Note, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, n := range d.open {
		return id, n, len(d.open) == 1
	}
	return 0, Note{}, false
}

// Notes counts the notes of that title that ever came.
func (d *Desktop) Notes(title string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for _, note := range d.sent {
		if note.Title == title {
			n++
		}
	}
	return n
}

// Act clicks on that action of a note.
func (d *Desktop) Act(id uint32, key string) {
	d.t.Helper()
	Must(d.t, d.conn.Emit(notesPath, notes+".ActionInvoked", id, key))
}
