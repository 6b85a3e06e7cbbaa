package tray

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"git.sr.ht/~jackmordaunt/go-toast/v2/wintoast"
	"github.com/go-ole/go-ole"
)

// This file is the one owner of the toast library and its process-wide state. It is never asked to use PowerShell.

const (
	// toastApp is the name under which Windows knows our toasts, and shows above them.
	toastApp = "Zaseki"
	// toastClass is the number of the class that Windows calls when a toast is clicked; ours alone.
	toastClass = "{5F2C6E1B-6C0B-4C55-9A38-0E7D3F0B9A41}"
)

// readyToasts tells Windows who we are, in this person's registry, and where clicks go.
func readyToasts(clicked func(said string)) error {
	wintoast.SetActivationCallback(func(_, said string, _ []wintoast.UserData) { clicked(said) })
	return wintoast.SetAppData(wintoast.AppData{AppID: toastApp, GUID: toastClass})
}

// showToast shows it. Windows before 10 has none; nor has Wine.
func showToast(id uint32, n note) error { return wintoast.Push(toastApp, toastXML(id, n)) }

// clearToasts takes all of ours from the screen and from the action center (IToastNotificationHistory::ClearWithId).
func clearToasts() (err error) {
	const (
		managerClass = "Windows.UI.Notifications.ToastNotificationManager"
		manager2     = "{7AB93C52-0E48-4750-BA9D-1A4113981847}" // IToastNotificationManagerStatics2
		getHistory   = 6                                        // its first method of its own: IInspectable has six
		clearWithID  = 12                                       // of IToastNotificationHistory
	)
	defer func() { // a Windows that lacks the library behind these calls
		if r := recover(); r != nil {
			err = fmt.Errorf("toasts: %v", r)
		}
	}()
	manager, err := ole.RoGetActivationFactory(managerClass, ole.NewGUID(manager2))
	if err != nil {
		return fmt.Errorf("toast manager: %w", err)
	}
	defer manager.Release()
	var history *ole.IUnknown
	if err := method(&manager.IUnknown, getHistory, uintptr(unsafe.Pointer(&history))); err != nil {
		return fmt.Errorf("toast history: %w", err)
	}
	if history == nil {
		return errors.New("toast history: none")
	}
	defer history.Release()
	name, err := ole.NewHString(toastApp)
	if err != nil {
		return err
	}
	defer func() { _ = ole.DeleteHString(name) }()
	return method(history, clearWithID, uintptr(name))
}

// method calls the n-th method of a COM object.
func method(of *ole.IUnknown, n int, arg uintptr) error {
	table := unsafe.Slice((*uintptr)(unsafe.Pointer(of.RawVTable)), n+1)
	if code, _, _ := syscall.SyscallN(table[n], uintptr(unsafe.Pointer(of)), arg); code != 0 {
		return ole.NewError(code)
	}
	return nil
}
