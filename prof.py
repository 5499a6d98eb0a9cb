import gc
from tests.simulation.clock import simulated_hosts
from tests.simulation import world as W, quiesce as Q
from collections import Counter
gc.disable()
cl=[];calm=[];end=[]
orig=Q.Quiesce._look
def look(self):
    w=self._world
    if all(c.is_done for c in w.clients) and not hasattr(self,'cd'): self.cd=w.simulator.now; cl.append((self.cd, w.plan.window))
    orig(self)
    if self._waits_for=="the last reads": calm.append(w.simulator.now)
Q.Quiesce._look=look
with simulated_hosts():
    for s in range(1000,1400):
        r=W.simulate(s); end.append((r.seconds, s, r.plan.weather.delay, r.plan.faults))
n=400
print("window",sum(w for _,w in cl)/n,"clients done",sum(c for c,_ in cl)/n,"calm",sum(calm)/n,"end",sum(e[0] for e in end)/n)
for e in sorted(end)[::25]: print(e)
