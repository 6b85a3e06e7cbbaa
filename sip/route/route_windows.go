package route

import (
	"context"
	"unsafe"

	"golang.org/x/sys/windows"
)

// listen asks the system to call back when a unicast address or a route changes (NotifyUnicastIpAddressChange,
// NotifyRouteChange2). Cancelling waits for a callback under way.
func listen(ctx context.Context, tell func()) {
	helper := windows.NewLazySystemDLL("iphlpapi.dll")
	cancel := helper.NewProc("CancelMibChangeNotify2")
	callback := windows.NewCallback(func(_, _ unsafe.Pointer, _ uintptr) uintptr {
		tell()
		return 0
	})
	for _, name := range []string{"NotifyUnicastIpAddressChange", "NotifyRouteChange2"} {
		notify := helper.NewProc(name)
		if notify.Find() != nil || cancel.Find() != nil {
			continue
		}
		var handle windows.Handle
		failed, _, _ := notify.Call(windows.AF_UNSPEC, callback, 0, 0, uintptr(unsafe.Pointer(&handle)))
		if failed == 0 {
			defer func() { _, _, _ = cancel.Call(uintptr(handle)) }()
		}
	}
	<-ctx.Done()
}
