// Public keys that ssh-keygen made, and what ssh-keygen and openssl say of them.

export const RSA =
  'ssh-rsa ' +
  'AAAAB3NzaC1yc2EAAAADAQABAAABAQDIM/8vX/kBeEdt/F4NkkHSHiRUhJT4H/ObILoqVaFPywS0MNkTMHufVbl2lB' +
  'xVXDZnD/yJp7UaS2Wxy0kK9LdyK7Lcy7bHdOSNjMVr7XRVbbeskEUV0tcCXXYaJ6Y6mIEUE06kfCRidWiA5aHVictj' +
  'TvxMTZI/IPtwd94MQLGWHVWCbGmuIvumYTU/a6P/oSjqNertWCtNVnC26mUajTSf2B671iZCOdJiayieoKaxk8eY+e' +
  'e1lsEB4rmmotMKmzVTUYy4RsgH6twzziysQXbrLCqifKTKgzBGOKxoUvQ1uUyt2fn/vbjNEbI/MTwVC6cWN7e7aJdn' +
  'xNF/BCbAVIfl'
/** `ssh-keygen -e -m PKCS8 -f key.pub | openssl rsa -pubin -outform DER | openssl md5 -c` */
export const RSA_MD5 = '31:9d:97:f5:49:37:ba:b1:d0:55:7f:87:b9:f0:a9:e3'
export const ED25519 = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKGPKDk6tahd/uOjKOF524qWykvu7Tap5uql2WbN/uQV'
/** `ssh-keygen -l -f key.pub`, with the padding that OpenSSH leaves out. */
export const ED25519_SHA256 = 'NvPd1jsW6ytMs8grb7gd/AsoixhBPHRsSgmetdmxilw='
