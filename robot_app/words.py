# -*- coding: utf-8 -*-
"""What the robot says about itself, in the languages that NAO speaks most. Data: nothing here speaks.

{occasion: {NAOqi's language: [text, ...]}}; every occasion exists in English. UTF-8, as NAOqi wants it.
"""

from __future__ import division, print_function

WORDS = {
    "silent": {
        "English": ["I have no connection to my computer."],
        "Chinese": ["我连不上电脑了。"],
        "French": ["Je n'ai pas de connexion avec mon ordinateur."],
        "Japanese": ["パソコンとつながっていません。"],
    },
    "hot": {
        "English": ["My motors are hot. I will keep still for a while."],
        "Chinese": ["我的电机很热,我先休息一会儿。"],
        "French": ["Mes moteurs sont chauds. Je ne bouge plus pendant un moment."],
        "Japanese": ["モーターが熱くなったので、しばらく動きません。"],
    },
    "battery": {
        "English": ["My battery is low. I will keep still."],
        "Chinese": ["我的电量不足,我先不动了。"],
        "French": ["Ma batterie est faible. Je ne bouge plus."],
        "Japanese": ["バッテリーが少ないので、動かないでいます。"],
    },
}
