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
export interface Me { account: string; name: string; role: string; terminal: Terminal; encrypted: boolean }
export interface Line { state: string; proven?: string; expires?: string; server?: string; secure?: boolean; problem?: Problem }
export interface StatusView {
  now: string; shown: string; since?: string; until?: string; wish?: string; next?: string; offer?: string;
}
export interface Call {
  id: string; phase: string; inbound: boolean; outside: boolean; number: string; name?: string; queue?: string;
  began: string; answered?: string; peerHold?: boolean; secure: boolean; codec?: string; digits?: string; silent?: boolean;
  consult?: string; moving?: string; conference?: boolean; movedBy?: string;
}
export interface PastCall {
  id: string; inbound: boolean; outside: boolean; number: string; name?: string; began: string; talked: number;
  result: string; problem?: Problem;
}
export interface Question { kind: string; number?: string; name?: string; call?: string }
export interface SIPForm {
  server: string; user: string; authUser?: string; display?: string; domain?: string; transport: string; voice: string; keysInClear?: boolean;
}
export interface Contact { name: string; number: string; watch?: boolean }
export interface Lamp { number: string; state: string }
export interface Voicemail { waiting: boolean; new: number; old: number; number?: string }
export interface TimelineLine { at: string; kind: string; sent?: boolean; peer?: string; network?: string; title: string; text?: string }
export interface Timeline { call: string; lines: TimelineLine[] | null }
export interface Notice { id: string; level: string; problem: Problem; at: string }
export interface Snapshot {
  rev: number; phase: string; account: string; problem?: Problem; takeover?: boolean; asked?: SignIn; choice?: Choice;
  me?: Me; center: { name: string; url: string; online: boolean; since?: string }; line: Line; status: StatusView;
  statuses?: StatusDef[]; seat?: string; seatName?: string; calls?: Call[]; muted: boolean; mic: string; sound: boolean;
  history?: PastCall[]; ask?: Question; notices?: Notice[]; profile: Profile; dialled?: string;
  centerless?: boolean; sip?: SIPForm; local?: boolean; contacts?: Contact[]; lamps?: Lamp[]; voicemail?: Voicemail;
}
export interface SeatState {
  id: string; name: string; floor: string; x: number; y: number; account?: string; agent?: string; extension?: string;
  status?: string; since?: string; peer?: string;
}
export interface Floor {
  rev: number; floors: { id: string; name: string }[] | null; seats: SeatState[] | null; statuses: StatusDef[] | null;
  mine?: string; at: string;
}
export interface SoundOrder { owner: boolean; taken: boolean; codec: string; live: boolean; restart: number; renew: number }

/** Asks the agent: never waits, never fails; what came of it is the next snapshot. */
export type Send = (type: string, body?: object) => void;

export interface Sound {
  order(o: SoundOrder): void; show(s: Snapshot): void; claim(): void; unlock(): void; close(): void;
  info(): { connection: string; codec: string; level: number };
}

/** What a page knows besides the snapshot. */
export interface Page { owner: boolean; taken: boolean; linked: boolean; ringing: boolean }

/** Opens what happened to a call. */
export type Why = (call: { id: string; number: string; name?: string }) => void;

/** A part of the page: show gets everything new, tick comes every second for the times on it. */
export interface View { root: HTMLElement; show(s: Snapshot, p: Page): void; tick?(now: number): void }
