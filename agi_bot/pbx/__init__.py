"""The telephone side: AudioSocket, AGI, AMI and the exchanges behind the promise Pbx."""
