package wire

import (
	"errors"
	"sort"
	"strings"
)

// Problem is an error a person can read: a code whose sentence stands in static/i18n as "problem.<code>",
// and the values of that sentence's holes. The far side of a wire gets it as JSON.
type Problem struct {
	Code  string            `json:"code"`
	Holes map[string]string `json:"holes,omitempty"`
}

func (p Problem) Error() string {
	if len(p.Holes) == 0 {
		return p.Code
	}
	var b strings.Builder
	b.WriteString(p.Code)
	keys := make([]string, 0, len(p.Holes))
	for k := range p.Holes {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		b.WriteString(" " + k + "=" + p.Holes[k])
	}
	return b.String()
}

// Is makes errors.Is(err, Problem{Code: "x"}) true for every problem of that code.
func (p Problem) Is(target error) bool {
	var t Problem
	return errors.As(target, &t) && t.Code == p.Code
}

// Codes of problems. Each has its sentence in both languages; a test holds the list and the files together.
const (
	ProblemSignIn          = "signin.refused"      // account or password is wrong; never says which
	ProblemInvisible       = "signin.invisible"    // field holds a tab or line break (profile ≤3.6)
	ProblemLimited         = "signin.limited"      // {seconds}: too many attempts
	ProblemTicket          = "signin.expired"      // step 2 came too late; begin again
	ProblemFactor          = "factor.wrong"        // {left}: the code is wrong; so many tries are left
	ProblemFactorUsed      = "factor.used"         // this code was used already: wait for the next
	ProblemFactorClock     = "factor.clock"        // {minutes}: right code of another time: a clock is wrong
	ProblemFactorMail      = "factor.mail"         // the center could not send the mail
	ProblemMail            = "mail.refused"        // {reason}: the mail server did not take the mail, in its words
	ProblemMailNone        = "mail.none"           // the center has no mail server
	ProblemStatusOver      = "status.over"         // {status} {minutes}: the status may last no longer
	ProblemStatusOverOf    = "status.over_of"      // {who} {status} {minutes}: told to supervisors
	ProblemFactorNeeded    = "factor.needed"       // the center demands a second factor: it cannot be turned off
	ProblemNotKept         = "device.not_kept"     // trusted as wished, but the center's policy has nothing kept on this machine
	ProblemAccountOff      = "signin.off"          // the account is suspended
	ProblemSingleSignOn    = "signin.sso"          // {reason}: the sign-in provider refused, or answered something wrong
	ProblemPasswordOff     = "signin.sso_only"     // passwords are not taken here: sign in with the provider
	ProblemPassword        = "password.weak"       // {reason}: a new password that cannot be used
	ProblemReadOnly        = "center.read_only"    // the center cannot write (disk full, no majority): nothing can change now
	ProblemStale           = "row.stale"           // somebody else changed it meanwhile: load it again
	ProblemInUse           = "row.in_use"          // {by}: cannot be removed while something refers to it
	ProblemExists          = "row.exists"          // {id}: there is one of that name already
	ProblemNoRow           = "row.unknown"         // {id}
	ProblemLastAdmin       = "account.last"        // nobody would be left who may administer the center
	ProblemNote            = "note.value"          // {most}: a note too long, with a result that there is not, or with nothing in it
	ProblemNoteQueue       = "note.queue"          // {queues}: the result is for their calls, and this is another's
	ProblemHand            = "hand.raised"         // {who}: told to supervisors
	ProblemNotLed          = "agent.not_led"       // {who} is in no group that this supervisor leads
	ProblemSignedOut       = "agent.out"           // {who} is not signed in
	ProblemNoStatus        = "agent.no_status"     // {who} is no agent and has no status
	ProblemInCallOf        = "status.in_call_of"   // {who} {status}: in a call; may be set as the next status
	ProblemStatusSetBy     = "status.set_by"       // {who} {status}: told to the agent
	ProblemNextSetBy       = "status.next_by"      // {who} {status}: told to the agent
	ProblemHandSeen        = "hand.seen"           // {who} has seen the raised hand: told to the agent
	ProblemSelf            = "supervise.self"      // oneself cannot be acted on, nor written to
	ProblemAttendPhone     = "supervise.phone"     // the own terminal is no softphone, or not registered (any more)
	ProblemAttendDesk      = "supervise.desk"      // {who} works with a desk phone: only softphones let somebody listen
	ProblemNoCall          = "supervise.no_call"   // {who} is in no call: follow, or wait
	ProblemCallOver        = "supervise.over"      // {who}: the call is over
	ProblemSuperviseSilent = "supervise.silent"    // {who}: that phone has not taken the supervisor in
	ProblemMessage         = "message.value"       // {most}: a message without text, or too long
	ProblemMessageFar      = "message.far"         // {who} shares no group with the sender
	ProblemMessageNobody   = "message.nobody"      // nobody would have it
	ProblemPhoneAway       = "phone.away"          // {who}: this phone cannot be asked anything now
	ProblemPhoneSilent     = "phone.silent"        // {who} {seconds}: it did not answer; too old, most likely
	ProblemBook            = "book.unreadable"     // {reason}: neither a table nor cards
	ProblemBookFull        = "book.full"           // {most}: contacts in the shared phonebook
	ProblemNoTerminal      = "signin.no_terminal"  // the account has no terminal it may use
	ProblemUnreachable     = "center.unreachable"  // {url}
	ProblemNoCenter        = "center.none"         // this phone knows no center: only UseSIP can sign in
	ProblemCenter          = "center.error"        // the center answered something we do not understand
	ProblemOffline         = "center.offline"      // signed in, but the connection is lost just now
	ProblemSeatTaken       = "seat.taken"          // {seat} {who} {since}: may take over
	ProblemSeatLost        = "seat.lost"           // {seat} {who}: somebody took it over; the session stays
	ProblemSeatGone        = "seat.gone"           // {seat}: it is another's since the center was away; the session stays
	ProblemSeatUnknown     = "seat.unknown"        // {seat}
	ProblemTerminalTaken   = "terminal.taken"      // {terminal} {who} {since}: may take over
	ProblemTerminalUnknown = "terminal.unknown"    // {terminal}
	ProblemTerminalCall    = "terminal.call"       // the terminal cannot be changed during a call
	ProblemElsewhere       = "agent.elsewhere"     // {machine} {since}: signed in at another machine; may take over
	ProblemRevoked         = "agent.revoked"       // {who}: somebody took the session over
	ProblemExpired         = "agent.expired"       // the session ended at the center; sign in again
	ProblemStatusUnknown   = "status.unknown"      // {status}
	ProblemStatusInCall    = "status.in_call"      // {status}: refused during a call, offered as next status
	ProblemForbidden       = "forbidden"           // the role does not allow it
	ProblemSIPUnreachable  = "sip.unreachable"     // {server}: no answer from the SIP server
	ProblemSIPRefused      = "sip.refused"         // {code} {reason}: the registrar refuses this terminal
	ProblemNumber          = "number.invalid"      // {number}
	ProblemNotRegistered   = "call.not_registered" // dialling before the line is registered
	ProblemCallFailed      = "call.failed"         // {code} {reason}
	ProblemCallBusy        = "call.busy"           // 486, 600
	ProblemCallUnanswered  = "call.unanswered"     // 408, 480, nobody picked up
	ProblemCallUnknown     = "call.unknown"        // 404, 484, 604: no such number
	ProblemCallDeclined    = "call.declined"       // 603
	ProblemCallMedia       = "call.media"          // 488, 606, no common codec
	ProblemCallLimit       = "call.limit"          // another call is active: hold it first
	ProblemCallSecure      = "call.insecure"       // voice encryption is required and the far side or the signalling has none
	ProblemMemory          = "phone.memory"        // hardly any memory left: no new calls
	ProblemCallLost        = "call.lost"           // {number}: the phone was killed in this call; it is over
	ProblemSuperviseCall   = "supervise.call"      // in a call of one's own nobody listens to another's
	ProblemSuperviseNo     = "supervise.refused"   // {who}: the agent's phone did not take it
	ProblemAttendPermit    = "attend.permit"       // a call with a permit that nobody gave, that is used or too old
	ProblemAttendLate      = "attend.late"         // the supervisor's call did not come in time
	ProblemAttendIdle      = "attend.idle"         // the agent was in no call any more
	ProblemAttendSilent    = "attend.silent"       // nothing came from the supervisor's phone any more
	ProblemCheckRuns       = "check.runs"          // {who}: a check of the seats runs already
	ProblemCheckRunsOwn    = "check.runs_own"      // the same, begun by the schedule
	ProblemCheckNone       = "check.none"          // no seat that the asker may have checked
	ProblemCheckIdle       = "check.idle"          // nothing to stop
	ProblemCheckNode       = "check.node"          // {node}: it serves the telephones, and cannot be asked now
	ProblemCheckStopped    = "check.stopped"       // somebody stopped it
	ProblemCheckCut        = "check.cut"           // the center ended meanwhile, or could not write
	ProblemCheckBusy       = "check.busy"          // in a call, and not disturbed
	ProblemCheckForged     = "check.forged"        // a call with a check's name that nobody gave, that is used or too old
	ProblemCheckPhone      = "check.phone"         // the phone said nothing of what arrived; too old, most likely
	ProblemCheckUnheard    = "check.unheard"       // the tone did not come back
	ProblemCheckUnanswered = "check.unanswered"    // the test call was not answered
	ProblemCheckRefused    = "check.refused"       // the phone refused it
	ProblemCheckLoss       = "check.loss"          // why a seat is weak: see wire.CheckLoss, CheckDelay, CheckJitter
	ProblemCheckDelay      = "check.delay"         //
	ProblemCheckJitter     = "check.jitter"        //
	ProblemCheckMissing    = "check.missing"       // or SeatCheck.Missing says why
	ProblemCheckAbsent     = "check.absent"        // nobody is signed in there
	ProblemCheckAway       = "check.away"          // the phone is not connected or not registered
	ProblemCheckDesk       = "check.desk"          // no softphone
	ProblemTransfer        = "transfer.failed"     // {number} {code} {reason}: the call is back
	ProblemTransferRefused = "transfer.refused"    // {number}: the far side does not let itself be transferred
	ProblemConference      = "conference.failed"   // {number}: this call cannot be mixed
	ProblemForm            = "sip.form"            // {field}: server, user or another field cannot be used as typed
	ProblemSIPTLS          = "sip.tls"             // {server} {reason}: the server's certificate is not trusted, for another reason than these:
	ProblemSIPExpired      = "sip.tls.expired"     // {server} {date}: it was valid until then
	ProblemSIPEarly        = "sip.tls.early"       // {server} {date}: it is valid from then on
	ProblemSIPName         = "sip.tls.name"        // {server} {host} {names}: it is for others
	ProblemSIPStranger     = "sip.tls.stranger"    // {server}: nobody known has signed it
	ProblemSIPAuthority    = "sip.authority"       // {file}: the certificate authority that the settings name holds no certificate
	ProblemMicDenied       = "mic.denied"
	ProblemMicMissing      = "mic.missing"
	ProblemMicSilent       = "mic.silent"        // the microphone gives digital silence: muted in hardware or broken
	ProblemSoundGone       = "sound.gone"        // in a call, and no page has carried its sound for two seconds; one is being opened
	ProblemRecording       = "record.failed"     // {reason}: this call is not recorded
	ProblemRecordTone      = "record.tone"       // both sides must be told and could not be: not recorded
	ProblemRecordFull      = "record.full"       // {size}: so much waits here for the center that nothing more is recorded
	ProblemRecordDisk      = "record.disk"       // {reason}: the disk takes nothing any more
	ProblemRecordNone      = "record.none"       // the center has no such recording, or not for this person
	ProblemRecordComing    = "record.coming"     // still on its way to the center
	ProblemRecordDamaged   = "record.damaged"    // the center cannot open it
	ProblemNetworkTest     = "network.test"      // {reason}: the test could not be made
	ProblemNoEcho          = "network.echo"      // nothing came back from the center: UDP does not get through
	ProblemNoProbe         = "network.none"      // no center, or one that has no echo to measure by
	ProblemNoPage          = "sound.no_page"     // answered, but no page is open to be microphone and loudspeaker
	ProblemSetting         = "setting.value"     // {name}: it cannot be that
	ProblemSettingLocked   = "setting.locked"    // {name} {who}: the center has set it
	ProblemSettingKept     = "setting.kept"      // {reason}: it holds until the phone ends, but could not be written
	ProblemSettingNone     = "setting.none"      // {names}: an imported file names what cannot be used here
	ProblemSettingOrigin   = "setting.origin"    // {origin}: not the address of a site that may ask this phone to dial
	ProblemSettingsAsked   = "setting.asked"     // {who} has looked at the settings of this phone
	ProblemNoteLost        = "note.lost"         // the center does not take the note: it knows no such call of this account, or no more
	ProblemNoKeyring       = "keyring.none"      // {reason}: this machine keeps no secrets, so auto sign-in asks
	ProblemAccountNotKept  = "account.not_kept"  // 保存 was wished, but the center's policy has nothing kept on this machine
	ProblemAutoSignIn      = "signin.auto"       // auto sign-in was refused: sign in by hand
	ProblemWindow          = "window.none"       // no browser is here that opens windows of their own
	ProblemHotkey          = "hotkey.taken"      // {chord}: another program has it
	ProblemHotkeyNone      = "hotkey.none"       // {reason}: this desktop gives no global keys
	ProblemLink            = "links.refused"     // {scheme} {reason}: the system did not take this phone as its handler
	ProblemAutostart       = "autostart.refused" // {reason}
	ProblemUpdateCall      = "update.call"       // not during a call
	ProblemUpdateDenied    = "update.denied"     // {file} {reason}: permission, or security software, stopped it
	ProblemUpdateBlocked   = "update.blocked"    // {file} {reason}: security software holds it, or took it away
	ProblemUpdateDisk      = "update.disk"       // {reason}: the disk cannot be written or read
	ProblemUpdateSpace     = "update.space"      // {size}: no space left
	ProblemUpdateForged    = "update.forged"     // hash or signature are wrong: it is not run
	ProblemUpdateOld       = "update.old"        // {version}: it is not newer than this one
	ProblemUpdateNetwork   = "update.network"    // {reason}
	ProblemUpdateNone      = "update.none"       // {system}: there is none for this system
	ProblemInternal        = "internal"          // our fault; the log has more
)
