// The words of web/wire as a page sees them. Times are ISO strings, durations nanoseconds.

export interface Problem { code: string; holes?: Record<string, string> }
export type Words = Record<string, string>;
export interface StatusDef {
  id: string; name: Words; class: string; colour: string; sign: string; pickable: boolean; minutes?: number;
}
export interface Terminal { id: string; extension: string; type: string; name?: string }
export interface SeatOffer { id: string; name: string; floor: string; by?: string; since?: string }
export interface Profile {
  name: string; stripPasted: boolean; oneStep: boolean; seatAlways: boolean; leaveSeat: boolean;
  statusShown: boolean; refuseInCall: boolean;
}
export interface Choice {
  center: string; name: string; terminals: Terminal[]; statuses: StatusDef[]; seats?: SeatOffer[]; seatView: boolean;
  terminal: string; status: string; seat: string; profile: Profile;
}
export interface SignIn { terminal: string; status: string; seat: string; takeover: boolean }
export interface Me { account: string; name: string; role: string; terminal: Terminal; encrypted: boolean; leads?: string[]; all?: boolean }
export interface Line { state: string; proven?: string; expires?: string; server?: string; secure?: boolean; problem?: Problem }
export interface StatusView {
  now: string; shown: string; since?: string; until?: string; wish?: string; next?: string; offer?: string;
}
export interface Call {
  id: string; phase: string; inbound: boolean; outside: boolean; number: string; name?: string; queue?: string;
  began: string; answered?: string; peerHold?: boolean; secure: boolean; codec?: string; digits?: string; silent?: boolean;
  consult?: string; moving?: string; conference?: boolean; movedBy?: string; outcome?: string; note?: string; unsent?: boolean;
  received?: string; unheard?: boolean; still?: boolean; recording?: string; card?: boolean; replaying?: boolean; quality?: Quality;
}
export interface QualityFlow { known: boolean; mos: number; loss: number; jitter: number; concealed: number }
export interface Quality { mos: number; in: QualityFlow; out: QualityFlow; rtt: number; delay: number; trend?: number[] }
export interface Policy { record?: string; tone?: boolean; replay?: boolean; hear?: boolean; clip?: boolean }
export interface NetworkTest { state: string; loss: number; jitter: number; rtt: number; mos: number; problem?: Problem; at?: string }
/** Labels as the person prefers them, best first. */
export interface Preferred { microphone?: string[]; speaker?: string[]; ring?: string[] }
export interface PastCall {
  id: string; inbound: boolean; outside: boolean; number: string; name?: string; began: string; talked: number;
  queue?: string; result: string; problem?: Problem; quality?: Quality; recording?: string; outcome?: string; note?: string; unsent?: boolean;
}
/** A call of this agent as the center keeps it; see wire.HistoryCall. */
export interface HistoryCall {
  id: string; at: string; inbound: boolean; outside: boolean; peer: string; name?: string; queue?: string; wait: number; talk: number;
  result: string; reason?: string; code?: number; back?: boolean; dial?: string; outcome?: string; note?: string;
}
/** The agent's day in figures, times in seconds; see wire.OwnDay. */
export interface OwnDay {
  asOf: string; day: string; today: string; taken: number; made: number; talk: number; average: number; work: number; pause: number; signedIn: number;
  missed?: Record<string, number>;
}
export interface Question { kind: string; number?: string; name?: string; call?: string; origin?: string }
export interface SIPForm {
  server: string; user: string; authUser?: string; display?: string; domain?: string; transport: string; voice: string; keysInClear?: boolean;
}
export interface Contact { name: string; number: string; watch?: boolean; favourite?: boolean; reading?: string; company?: string; note?: string }
/** The center's phonebook; see wire.Phonebook. */
export interface Phonebook { rev: number; contacts: Contact[] | null }
export interface Lamp { number: string; state: string }
export interface Voicemail { waiting: boolean; new: number; old: number; number?: string }
export interface TimelineLine { at: string; kind: string; sent?: boolean; peer?: string; network?: string; title: string; text?: string; holes?: Record<string, string> }
/** What happened to a call; see wire.Timeline. */
export interface Timeline { call: string; lines: TimelineLine[] | null; facts?: CallFacts; quality?: Quality; problem?: Problem }
export interface CallFacts {
  id: string; direction: string; from: string; name?: string; to: string; queue?: string; account?: string; agent?: string; result: string; reason?: string;
  began: string; answered?: string; ended?: string; hungUp?: string; offers?: CallOffer[];
  outside?: boolean; code?: number; message?: string; holds?: number; sentBy?: string; sentTo?: string; sound?: CallSound;
}
/** As the agent's phone reported: loss in percent, jitter and delay in milliseconds. */
export interface CallSound { mos: number; loss: number; jitter: number; delay: number }
/** Took in milliseconds; passed: by account, what each lacked. */
export interface CallOffer { account: string; agent: string; at: string; rang?: string; took: number; result: string; why?: string; passed?: Record<string, string>; names?: Record<string, string> }
/** Somebody who takes part in the agent's call, and whom a supervisor attends; see wire.Attendant and wire.Supervised. Modes: listen, whisper, join. */
export interface Attendant { account: string; name: string; mode: string; follow?: boolean; call: string; since?: string }
export interface Supervised { account: string; agent: string; mode: string; follow?: boolean; call?: string; since?: string; idle?: boolean }
/** See wire.Message: to a person, a group, or with neither to everybody. */
export interface Message {
  id: string; from: string; name: string; to?: string; group?: string; toName?: string; text: string; urgent?: boolean; replyTo?: string; at: string;
  mine?: boolean; read?: boolean; seen?: number; sent?: number; readers?: string[];
}
/** Newest last. Each: the center keeps a mark for each conversation, see wire.Messages. */
export interface Messages { rev: number; list: Message[] | null; each?: boolean }
/** What the center does not know yet of the time it was away; see wire.Gap. */
export interface Gap { since: string; until?: string; waiting: number; lost?: number }
export interface Span { from: string; until: string }
/** A day of the seat view, minute by minute; see wire.FloorDay. */
export interface FloorDay {
  floor?: string; from: string; until: string; minutes: number; kept: string; counts: Record<string, number[]>; talking: number[]; waiting: number[]; gaps?: Span[];
}
/** What an agent who raises the hand is in the middle of; see wire.HandCall. */
export interface HandCall { queue?: string; number?: string; name?: string; since?: string; clip?: string }
/** Account: whom it is about; hand: what a raised hand is about, for who leads. */
export interface Notice { id: string; level: string; problem: Problem; at: string; account?: string; hand?: HandCall }
/** What sign-in lacks besides the password: see wire.Proof. */
export interface Proof { ways: string[] | null; mail?: string; days?: number; enrol?: boolean; asked?: boolean; sent?: string; keeps: boolean; keep?: boolean }
/** What the center asks of this phone beside its calls: see wire.Desk. */
export interface Desk {
  keep: boolean; view: boolean; answer?: number; bound?: Terminal; latest?: { version: string }; outcomes?: Outcome[]; crm?: { login?: string; call?: string };
}
/** How a call can have ended; see wire.Outcome. */
export interface Outcome { id: string; name: Words; queues?: string[] }
/** An address that belongs on the customer system's tab; see wire.Pop. */
export interface Pop { id: string; url: string }
export interface TrustedDevice { id: string; label: string; since: string; until: string }
export interface FactorState { app: boolean; mail?: string; codes: number; devices: TrustedDevice[] | null }
export interface Snapshot {
  rev: number; phase: string; account: string; problem?: Problem; takeover?: boolean; asked?: SignIn; choice?: Choice;
  me?: Me; center: { name: string; url: string; online: boolean; since?: string }; line: Line; status: StatusView;
  statuses?: StatusDef[]; seat?: string; seatName?: string; calls?: Call[]; muted: boolean; mic: string; sound: boolean;
  history?: PastCall[]; ask?: Question; notices?: Notice[]; profile: Profile; dialled?: string;
  proof?: Proof; signOn?: { name: string; only: boolean }; desk?: Desk; away?: string;
  centerless?: boolean; sip?: SIPForm; local?: boolean; contacts?: Contact[]; lamps?: Lamp[]; voicemail?: Voicemail;
  way?: string; mutedTalk?: boolean; policy?: Policy; devices?: Preferred; rings?: string[]; echo?: boolean; ringTest?: boolean; micLabel?: string; network?: NetworkTest;
  once?: Choice; auto?: { again?: string };
  settings?: Record<string, any>; locks?: Record<string, string>; failing?: Record<string, Problem>; saved?: Saved; update?: Update;
  missed?: number; book?: number; hand?: string; pop?: Pop; remarks?: Remark[];
  attendants?: Attendant[]; supervised?: Supervised; messages?: Messages; unread?: number; gap?: Gap;
}
/** What was written here about a call that only the center knows. */
export interface Remark { call: string; outcome?: string; text?: string; unsent?: boolean }
/** What this machine keeps for auto sign-in; see wire.Saved. */
export interface Saved { account?: string; terminal?: string; seat?: string; can: boolean }
/** A newer version of this phone; see wire.Update. */
export interface Update {
  version: string; notes?: Words; style: string; state: string; done?: number; size?: number; problem?: Problem; details?: string; folder?: string;
}
export interface SeatState {
  id: string; name: string; floor: string; x: number; y: number; account?: string; agent?: string; extension?: string;
  status?: string; since?: string; over?: boolean; hand?: string;
  /** Why no call comes though the status would take it. */
  missing?: string[];
  groups?: string[]; call?: string; queue?: string; inbound?: boolean; talks?: string; next?: string; attended?: number; handCall?: HandCall; ring?: string;
  /** What a check found here, while that is shown: the page's own. */
  check?: SeatCheck;
}
/** What a check found at a seat; see wire.SeatCheck. State "": no check has looked at it. */
export interface SeatCheck {
  seat: string; state: string; account?: string; name?: string; extension?: string; ring?: number; delay?: number; lossThere?: number; lossBack?: number; jitter?: number; secure?: boolean;
  heard?: boolean; missing?: string[]; why?: string; at?: string;
}
/** The check of the seats, the last or the one that runs; see wire.DawnCheck. */
export interface DawnCheck { id: string; at?: string; ended?: string; by?: string; name?: string; why?: string; seats: SeatCheck[] | null }
export interface Floor {
  rev: number; floors: { id: string; name: string }[] | null; seats: SeatState[] | null; statuses: StatusDef[] | null;
  mine?: string; at: string;
  /** The floor whose seats these are; none: all of them. */
  only?: string;
  groups?: Group[]; queues?: QueueLoad[]; counts?: FloorCount[];
}
/** How many are where, of every floor; see wire.FloorCount. */
export interface FloorCount { floor: string; seats: number; in: number; free: number; hands: number }
export interface Group { id: string; name: string }
/** A queue at this moment; see wire.QueueLoad. */
export interface QueueLoad { id: string; name: string; waiting: number; since?: string; free: number }
export interface SoundOrder { owner: boolean; taken: boolean; codec: string; live: boolean; restart: number; renew: number; mic?: boolean }

/** Asks the agent: never waits, never fails; what came of it is the next snapshot. */
export type Send = (type: string, body?: object) => void;

/** Posts to the phone and gives its answer; rejects with the problem it tells. */
export type Ask = (path: string, body: object) => Promise<any>;

export interface Sound {
  order(o: SoundOrder): void; show(s: Snapshot): void; claim(): void; unlock(): void; close(): void;
  /** Way is by what it is connected: webrtc, websocket, "". */
  info(): { connection: string; codec: string; level: number; way: string };
}

/** What the page measured since it was asked last; see wire.SoundStats. */
export interface SoundStats { concealed: number; buffer: number; playout: number; level: number }

/** What a way needs of the page: hear plays a stream, changed is called when it came up, broke or may be hopeless. */
export interface WayIo {
  page: string; post(path: string, body: object): Promise<any>; play(): void; changed(): void; hear(stream: MediaStream): void;
}

/** A connection between this page and the tray process: js/rtc.js or js/pcm.js. It is used once. */
export interface Way {
  name: "webrtc" | "websocket";
  open(): Promise<void>;
  restart(): Promise<void>;
  carry(mic: MediaStreamTrack | null): Promise<void>;
  speak(codec: string): Promise<void>;
  up(): boolean;
  dead(): boolean;
  /** It cannot come up here, whatever one waits. */
  hopeless(): boolean;
  state(): string;
  unlock(): void;
  /** For how many milliseconds the microphone has given exact digital silence; 0 also when nobody knows. */
  still(): Promise<number>;
  stats(): Promise<SoundStats>;
  close(): void;
}

/** A device as the browser lists it. Labels are there once the microphone was allowed. */
export interface Device { kind: "microphone" | "speaker"; label: string }

/** js/devices.js: what the settings view needs of the machine's sound devices. */
export interface Devices {
  list(): Device[];
  /** Calls change with the list now and whenever it changes; what it returns ends that. */
  watch(change: (list: Device[]) => void): () => void;
  /** False where the browser plays only on the system's own loudspeaker: hide the choice. */
  choosesSpeaker(): boolean;
  /** Opens the microphone of that label, "" for the system's own, and shows its level, 0 to 1, ten times a second, until what it
   *  promises is called. Rejects as getUserMedia does. */
  meter(label: string, show: (level: number) => void): Promise<() => void>;
  /** Plays a tone of one second on the loudspeaker of that label, "" for the system's own; resolves when it is over. */
  tone(label: string): Promise<void>;
  close(): void;
}

/** What a page knows besides the snapshot. */
export interface Page { owner: boolean; taken: boolean; linked: boolean; ringing: boolean }

/** Opens what happened to a call. */
export type Why = (call: { id: string; number: string; name?: string }) => void;

/** A part of the page: show gets everything new, tick comes every second for the times on it. */
export interface View { root: HTMLElement; show(s: Snapshot, p: Page): void; tick?(now: number): void }
