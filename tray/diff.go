package tray

// A change is one setter of the tray's library, for one slot.
type change struct {
	slot int
	what int
	text string // of setLabel
	mark Mark   // of setMark
}

// What a change does.
const (
	setLabel = iota
	setMark
	setGrey
	setLive
	setTick
	setNoTick
	setHidden
	setShown
)

// diff is what must be called to turn the shown items into the wanted ones, and what is shown after that. Every setter makes
// desktops read the menu anew, and some close it, so nothing is set twice. A hidden item keeps its old text until it is shown:
// Windows shows a hidden item when anything of it is set.
func diff(shown, wanted [slots]Item) ([]change, [slots]Item) {
	var all []change
	for slot, want := range wanted {
		was := shown[slot]
		if want.Hidden {
			if !was.Hidden {
				all = append(all, change{slot: slot, what: setHidden})
			}
			shown[slot].Hidden = true
			continue
		}
		if was.Label != want.Label {
			all = append(all, change{slot: slot, what: setLabel, text: want.Label})
		}
		if was.Mark != want.Mark {
			all = append(all, change{slot: slot, what: setMark, mark: want.Mark})
		}
		if was.Grey != want.Grey {
			all = append(all, change{slot: slot, what: pick(want.Grey, setGrey, setLive)})
		}
		if was.Ticked != want.Ticked {
			all = append(all, change{slot: slot, what: pick(want.Ticked, setTick, setNoTick)})
		}
		if was.Hidden {
			all = append(all, change{slot: slot, what: setShown})
		}
		shown[slot] = want
	}
	return all, shown
}

func pick[T any](yes bool, a, b T) T {
	if yes {
		return a
	}
	return b
}
