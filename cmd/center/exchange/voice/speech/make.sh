#!/bin/sh
# Makes what waiting callers are told: speech synthesised by espeak-ng, as headerless G.711 µ-law at 8 kHz (ITU-T G.711).
# Needs espeak-ng and sox. Run in this folder: sh make.sh
set -eu
say() { # NAME VOICE SPEED PITCH TEXT
	espeak-ng -v "$2" -s "$3" -p "$4" -w /tmp/say.$$.wav "$5"
	sox /tmp/say.$$.wav -t ul -r 8000 -c 1 "$1.ulaw" norm -9 silence 1 0.01 0.5% reverse silence 1 0.01 0.5% reverse pad 0 0.06
	rm -f /tmp/say.$$.wav
}
en() { say "en-$1" en-us 150 45 "$2"; }
ja() { say "ja-$1" ja 150 45 "$2"; }
en place "You are number"
n=0
for word in one two three four five six seven eight nine ten; do n=$((n + 1)); en $n "$word"; done
en more "eleven, or later"
en message "Nobody can take your call right now. Please leave a message after the tone."
ja place "おまちの、じゅんばんは、"
n=0
for word in いち に さん よん ご ろく なな はち きゅう じゅう; do n=$((n + 1)); ja $n "${word}ばんめです"; done
ja more "じゅうばんめより、あとです"
ja message "ただいま、でんわに、でることができません。はっしんおんのあとに、メッセージをどうぞ。"
en closed "We are closed now. Please call again during our opening hours."
en busy "All our lines are busy. Please call again later."
ja closed "ほんじつの、えいぎょうじかんは、しゅうりょうしました。えいぎょうじかんないに、おかけなおしください。"
ja busy "ただいま、でんわが、たいへん、こみあっております。のちほど、おかけなおしください。"
