#!/bin/sh
# Makes the demo's voices: speech synthesised by espeak-ng, as headerless G.711 µ-law at 8 kHz (ITU-T G.711).
# Needs espeak-ng and sox. Run in this folder: sh make.sh
set -eu
say() { # NAME VOICE SPEED PITCH TEXT
	espeak-ng -v "$2" -s "$3" -p "$4" -w /tmp/say.$$.wav "$5"
	sox /tmp/say.$$.wav -t ul -r 8000 -c 1 "$1.ulaw" norm -6 pad 0.3 0.4
	rm -f /tmp/say.$$.wav
}
say customer-en en-us 150 45 "Hello, this is Tanaka speaking. I have a question about the order I placed yesterday. Can you hear me? Please say something, and I will repeat it."
say customer-ja ja 150 45 "もしもし。たなかともうします。きのうちゅうもんしたしょうひんについて、おたずねしたいのですが。きこえますか。なにかはなしてください。そのままくりかえします。"
say colleague-en en-gb 155 60 "Hi, it is me from the next desk. Just a quick question between colleagues. That is all, thank you. Bye."
say colleague-ja ja 155 60 "おつかれさまです。となりのせきからかけています。ないせんはどのステータスでもつながります。いじょうです。しつれいします。"
