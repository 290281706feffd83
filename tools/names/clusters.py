"""Clusters words by the words around them (PPMI, SVD, k-means), as `cluster<TAB>word<TAB>number`.

    python3 tools/names/clusters.py plain.txt CONLL... > clusters.tsv
"""
import re,collections,numpy as np,scipy.sparse as sp,sys
from scipy.sparse.linalg import svds
tok=re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+|\n|[^\w\s]")
text=open(sys.argv[1],errors='ignore').read()
ner=[]
for f in sys.argv[2:]:
    for l in open(f):
        l=l.strip(); ner.append(re.split(r'\s',l)[0] if l else '\n')
text=text+'\n'+' '.join(ner)
toks=[]
for m in tok.finditer(text):
    w=m.group().lower()
    toks.append('0' if w.isdigit() else w)
cnt=collections.Counter(toks)
V=[w for w,c in cnt.most_common(24000) if c>=6]
C=[w for w,c in cnt.most_common(3000)]
vi={w:i for i,w in enumerate(V)}; ci={w:i for i,w in enumerate(C)}
print(len(toks),len(V),file=sys.stderr)
t=np.array([vi.get(w,-1) for w in toks]); c=np.array([ci.get(w,len(C)) for w in toks]); K=len(C)+1
mats=[]
for off in (-2,-1,1,2):
    a=t[max(0,-off):len(t)-max(0,off)]; b=c[max(0,off):len(c)+min(0,off)]
    ok=a>=0
    mats.append(sp.coo_matrix((np.ones(ok.sum(),dtype=np.float32),(a[ok],b[ok])),shape=(len(V),K)).tocsr())
M=sp.hstack(mats).tocsr(); M.sum_duplicates()
tot=M.sum(); r=np.asarray(M.sum(1)).ravel(); q=np.asarray(M.sum(0)).ravel()
co=M.tocoo(); pmi=np.log(co.data*tot/(r[co.row]*(q[co.col]**0.75*(q.sum()/ (q**0.75).sum()))))
ok=pmi>0; P=sp.coo_matrix((pmi[ok],(co.row[ok],co.col[ok])),shape=M.shape).tocsr()
u,s,_=svds(P.astype(np.float32),k=64)
E=u*np.sqrt(s); E/=np.linalg.norm(E,axis=1,keepdims=True)+1e-9
from sklearn.cluster import MiniBatchKMeans
km=MiniBatchKMeans(255,random_state=1,n_init=2,batch_size=2048,max_iter=60).fit(E)
L=km.labels_+1
for w,l in zip(V,L):
    if re.match(r"[^\W\d_]",w): print(f'cluster\t{w}\t{l}')
